# Who is who, over TLS: two devices enrol, are updated, renew; one is revoked and invited again. People have roles.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

refused() { # refused TEXT COMMAND...: the command fails, and says so.
	text=$1
	shift
	! "$@" >refused.txt 2>&1 || fail "'$*' was allowed"
	grep -q "$text" refused.txt || { cat refused.txt; fail "'$*' does not say '$text'"; }
}

# ---- a server with a certificate, devices that are asked for theirs ------------------------------------------------
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=fleet \
	-addext subjectAltName=IP:127.0.0.1 -keyout server.key -out server.crt 2>openssl.txt || fail "$(cat openssl.txt)"
export BACKSTAY_CA_FILE="$W/server.crt" CURL_CA_BUNDLE="$W/server.crt"
server_conf() { # server_conf LIFE
	server_more="device_ca = $W/keys/devices
[http]
tls_cert = $W/server.crt
tls_key = $W/server.key
[device]
identity = required
certificate_life = $1"
}
server_scheme=https
server_conf 15s
server_start

make() { # make NAME: a device with an invitation
	device_more="[server]
ca = $W/server.crt
[identity]
token_file = $W/$1.invite"
	device_make "$1" 0
	"$backstay" device invite "$1" >"$W/$1.invite" 2>/dev/null
}
identity() { # identity NAME FILTER
	"$backstay" device show "$1" --json | jq -r ".identity$2"
}
identity_is() { # identity_is NAME FILTER VALUE, for wait_until
	[ "$(identity "$1" "$2")" = "$3" ]
}
identity_is_not() {
	[ "$(identity "$1" "$2")" != "$3" ]
}
for d in one two; do
	make "$d"
	device_start "$d"
done
for d in one two; do
	wait_until 20 "$d to register" identity_is "$d" .state enrolled
	[ "$(stat -c %a "$W/dev/$d/identity/device.pem")" = 600 ] || fail "others may read the key of $d"
done
echo "== two devices have made their keys, enrolled, and registered over TLS"

issued=$(identity one .issued_ms)
wait_until 60 "one to renew" identity_is_not one .issued_ms "$issued"
"$backstay" audit list --last 200 | grep -q 'one has renewed' || fail "the audit log does not tell of it"
let_go server
server_conf 90d
server_start
for d in one two; do
	wait_until 60 "$d to renew for longer" identity_is "$d" ".until_ms > $(($(date +%s) + 86400))000" true
done
echo "== certificates are renewed when two thirds of their life are over"

toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1 everywhere" campaign_is to-1 done
runs one 1 && runs two 1 || fail "toy-1 does not run on both"
echo "== an update reaches both"

# ---- who is not whom ----------------------------------------------------------------------------------------------
report='{"format": 1, "seq": 900, "at_ms": 1, "kind": "state", "state": "idle"}'
post() { # post DEVICE CURL-OPTION...
	dev=$1
	shift
	curl -s "$@" -d "$report" "$BACKSTAY_SERVER/v1/devices/$dev/reports"
}
before=$("$backstay" device show two --json | jq .seq)
post two --cert "$W/dev/one/identity/device.pem" | grep -q '"wrong_device"' || fail "report_of_other_vehicle_over_valid_mtls"
post two | grep -q '"denied"' || fail "a report without a certificate"
[ "$before" = "$("$backstay" device show two --json | jq .seq)" ] || fail "a stranger's report was counted"
echo "== report_of_other_vehicle_over_valid_mtls: refused"

mkdir -p "$W/dev/thief"
sed -e "s#$W/dev/one#$W/dev/thief#" -e "s#$W/run/one#$W/run/thief#" "$W/dev/one.conf" >"$W/dev/thief.conf"
"$BACKSTAY_BIN/backstay-agent" --config "$W/dev/thief.conf" --provision "$W/keys/repo"
refused 'invitation of one has been used' "$BACKSTAY_BIN/backstay-agent" --config "$W/dev/thief.conf" --once
[ ! -e "$W/dev/thief/identity/device.pem" ] || fail "the thief has an identity"
echo "== an invitation that was used once is refused"

sed -e "s#url = .*#url = http://192.0.2.1:80#" -e '/\[identity\]/,$d' "$W/dev/one.conf" >"$W/plain.conf"
refused 'insecure_http' "$BACKSTAY_BIN/backstay-agent" --config "$W/plain.conf" --once
echo "== eavesdrop_http_url_refused"

# ---- revoked, and back ----------------------------------------------------------------------------------------------
"$backstay" device revoke two >/dev/null
wait_until 20 "two to be refused" is two .server.code revoked
toy 2
toy_publish 2
"$backstay" campaign create to-2 --release toy-2 --policy "$W/policy.json" --device one >/dev/null
"$backstay" campaign start to-2 >/dev/null
wait_until 60 "toy-2 on one" campaign_is to-2 done
runs one 2 && runs two 1 || fail "a revoked device does not keep what it runs"
echo "== a revoked device is refused, and keeps running what it runs"

"$backstay" device invite two >"$W/two.invite" 2>/dev/null
wait_until 60 "two to be back" identity_is two .state enrolled
toy 3
toy_publish 3
toy_campaign 3
wait_until 60 "toy-3 everywhere" campaign_is to-3 done
runs one 3 && runs two 3 || fail "toy-3 does not run on both"
echo "== invited again, it enrols with a new key and is updated"

# ---- the authority's key is lost ------------------------------------------------------------------------------------
"$backstay" keys devices "$W/authority" >/dev/null
let_go server
server_more=$(printf '%s\n' "$server_more" | sed "s|^device_ca = .*|device_ca = $W/authority|")
server_start
wait_until 20 "one to be refused" is one .server.code denied
for d in one two; do
	"$backstay" device invite "$d" >"$W/$d.invite" 2>/dev/null
done
for d in one two; do
	wait_until 60 "$d to be back" is "$d" .server.code ok
done
echo "== with a new authority every device is invited anew, and comes back by itself"

# ---- people -----------------------------------------------------------------------------------------------------------
"$backstay" user add vera viewer >vera.token 2>/dev/null
"$backstay" user add olga operator --days 1 >olga.token 2>/dev/null
"$backstay" campaign list --token-file vera.token >/dev/null || fail "a viewer may not read"
refused 'vera is viewer' "$backstay" campaign start to-2 --token-file vera.token
refused 'olga is operator' "$backstay" user list --token-file olga.token
refused 'olga is operator' "$backstay" device invite one --token-file olga.token
"$backstay" campaign create to-4 --release toy-3 --policy "$W/policy.json" --token-file olga.token >/dev/null
[ "$("$backstay" campaign status to-4 --json | jq -r .created_by)" = olga ] || fail "the campaign does not name olga"
"$backstay" user revoke olga >/dev/null
refused 'the token of olga was revoked' "$backstay" campaign list --token-file olga.token
"$backstay" user list | grep olga | grep -q revoked || fail "the list does not say so"
echo "== a viewer cannot start a campaign; an administrator revokes an operator at once"
