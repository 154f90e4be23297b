# The way out: everything that a device asks goes through the proxy of its configuration, plain and by CONNECT, and only
# that; hosts in no_proxy are asked without it, and the environment counts for nothing.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms toy_soak=300

keep proxy python3 "$BACKSTAY_SRC/tests/system/proxy.py" "$W/proxy.port" "$W/proxy.log"
wait_until 10 "the proxy" test -s proxy.port
proxy=http://127.0.0.1:$(cat proxy.port)

server_start
# Nobody listens there: whoever believes the environment gets nowhere.
export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9 all_proxy=http://127.0.0.1:9 no_proxy= NO_PROXY=
backstay() {
	env -u http_proxy -u https_proxy -u all_proxy "$BACKSTAY_BIN/backstay" "$@"
}
device_more="[net]
proxy = $proxy"
device_make one 0
device_start one
wait_until 20 "one to register" backstay device show one
(
	unset http_proxy https_proxy all_proxy
	toy 1
	toy_publish 1
	toy_campaign 1
)
wait_until 60 "one to run toy-1" runs one 1
grep -q "^POST $BACKSTAY_SERVER/v1/devices/one/reports" proxy.log || fail "reports go another way"
grep -q "^GET $BACKSTAY_SERVER/director/one/timestamp.json" proxy.log || fail "questions go another way"
grep -q "^GET $BACKSTAY_SERVER/artifacts/" proxy.log || fail "artifacts go another way"
echo "== a device is updated through a proxy: questions, reports and artifacts"

device_more="[net]
proxy = $proxy
no_proxy = example.org, 127.0.0.1"
device_make two 0
device_start two
wait_until 20 "two to register" backstay device show two
! grep -q /two/ proxy.log || fail "two asks through the proxy"
# Environment that would exempt everything exempts nothing.
device_more="[net]
proxy = $proxy"
device_make three 0
NO_PROXY='*' no_proxy='*' device_start three
wait_until 20 "three to register" backstay device show three
grep -q /three/ proxy.log || fail "three believes its environment"
echo "== no_proxy exempts a host; what the environment says counts for nothing"

for d in one two three; do let_go "$d"; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=fleet \
	-addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.crt 2>openssl.txt || fail "$(cat openssl.txt)"
let_go server
server_more="[http]
tls_cert = $W/server.crt
tls_key = $W/server.key"
server_scheme=https
export BACKSTAY_CA_FILE="$W/server.crt" CURL_CA_BUNDLE="$W/server.crt"
(unset http_proxy https_proxy all_proxy && server_start)
BACKSTAY_SERVER=https://127.0.0.1:$server_port
device_more="[server]
ca = $W/server.crt
[net]
proxy = $proxy"
device_make four 0
device_start four
wait_until 20 "four to register" backstay device show four
grep -q "^CONNECT 127.0.0.1:$server_port" proxy.log || fail "TLS goes another way"
echo "== over TLS the proxy is asked to CONNECT, and sees nothing of it"
