#!/bin/sh
# The broker over TLS: it lets nobody in without a certificate, and each device may only listen to its own topic and tell its own
# presence. The device shows the broker the certificate that it shows its server.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=10min toy_soak=300

# certificate NAME AUTHORITY: a key and a certificate for NAME, also good for 127.0.0.1.
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	printf 'subjectAltName = IP:127.0.0.1\n' >"$1.ext"
	openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 2 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
for authority in ca stranger-ca; do
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$authority" -days 2 -keyout "$authority.key" -out "$authority.crt" 2>/dev/null
done
for name in broker backstay-server one two; do certificate "$name" ca; done
certificate stranger stranger-ca

broker_port=$(free_ports 1)
cat >broker.conf <<CONF
user $(id -un)
listener $broker_port 127.0.0.1
cafile $W/ca.crt
certfile $W/broker.crt
keyfile $W/broker.key
require_certificate true
use_identity_as_username true
acl_file $W/acl
CONF
# What is shipped, and somebody who watches.
cat "$BACKSTAY_SRC/packaging/monitoring/mosquitto.acl" - >acl <<CONF
user two
topic read backstay/1/+/presence
CONF
chmod 644 ./*.crt ./*.key acl
keep broker mosquitto -c "$W/broker.conf"

server_scheme=https server_more="[http]
tls_cert = $W/backstay-server.crt
tls_key = $W/backstay-server.key
[mqtt]
devices = trusted
url = mqtts://127.0.0.1:$broker_port
ca = $W/ca.crt
cert = $W/backstay-server.crt
key = $W/backstay-server.key"
export BACKSTAY_CA_FILE=$W/ca.crt CURL_CA_BUNDLE=$W/ca.crt
server_start

# shows NAME CERTIFICATE: what its agent is configured with.
shows() {
	sed -i "/^url = https/a ca = $W/ca.crt\ncert = $W/$2.crt\nkey = $W/$2.key" "$W/dev/$1.conf"
}
device_more="[mqtt]
url = mqtts://127.0.0.1:$broker_port"
device_make one 0
shows one one
device_start one
wait_until 20 "one to listen" is one .push.connected true
wait_until 20 "one to register" "$backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 30 "toy-1 to be on one" campaign_is to-1 done
runs one 1 || fail "one does not run toy-1"
seen() {
	[ "$(mosquitto_sub -h 127.0.0.1 -p "$broker_port" --cafile ca.crt --cert two.crt --key two.key -t backstay/1/one/presence -C 1 -W 3)" = online ]
}
wait_until 10 "one's presence to be seen by two, who may" seen
echo "== a device is woken over TLS, by the certificate that it shows its server"

# The server trusts this broker, because nobody can speak for another: two says that one has counted something, and so does one.
says() { # says WHO WHAT EPOCH
	mosquitto_pub -h 127.0.0.1 -p "$broker_port" --cafile ca.crt --cert "$1.crt" --key "$1.key" -q 1 -t backstay/v1/telemetry/one -m \
		"$(printf '{"format":1,"epoch":"%016x","items":[{"seq":1,"at_ms":1,"kind":"window","layer":"device","counters":{"%s":1}}]}' "$3" "$2")"
}
counted() {
	"$backstay" telemetry device one --last 100 --json | jq -e ".windows[] | select(.counters.$1)"
}
says two forged 7 2>/dev/null || true
says one own 8
wait_until 20 "what one has counted to be counted" counted own
! counted forged >/dev/null || fail "two speaks for one"
echo "== with the shipped access list, nobody speaks for another"

device_make other 0
shows other stranger
device_start other
refused() {
	is other .push.connected false && is other .push.code net
}
wait_until 20 "a stranger to be refused" refused
let_go other
sed -i "s|^ca = .*|ca = $W/stranger-ca.crt|" "$W/dev/one.conf"
let_go one
device_start one
wait_until 20 "one not to believe the broker" is one .push.code net
echo "== neither a stranger's certificate nor a broker of another authority is taken"
