#!/bin/sh
# Hooks of a real server, told to receivers that verify what they get: signed, tried again, given up and sent again, over
# TLS, past a receiver that hangs, and none lost when the server is killed while one is under way.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay

# receiver NAME [CERTIFICATE KEY]: started; its address is printed.
receiver() {
	who=$1
	shift
	: >"$W/log/$who.jsonl"
	keep "receive-$who" python3 "$BACKSTAY_SRC/tests/system/receiver.py" "$W/run/$who.port" "$W/log/$who.jsonl" "$W/$who.secret" "$@"
	wait_until 10 "receiver $who" test -s "$W/run/$who.port"
}
address() { echo "127.0.0.1:$(cat "$W/run/$1.port")"; }
manner() { echo "$2" >"$W/$1.secret.manner"; }
# got NAME FILTER N: has it had N letters that the filter lets through?
got() {
	[ "$(jq -c "select($2)" "$W/log/$1.jsonl" | wc -l)" -ge "$3" ]
}
ids() { # ids NAME ANSWER: of events, each once
	jq -r "select(.answer == \"$2\") | .id" "$W/log/$1.jsonl" | sort -u
}
field() { "$backstay" hook list --json | jq -r ".hooks[] | select(.name == \"$1\") | .$2"; }
is_field() { [ "$(field "$1" "$2")" = "$3" ]; }

mkdir -p tls
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=hooks" \
	-addext "subjectAltName=IP:127.0.0.1" -keyout tls/key.pem -out tls/cert.pem 2>/dev/null
server_more="[hook]
timeout = 1min
tries = 4
first_wait = 100ms
longest_wait = 400ms
ca = $W/tls/cert.pem"
server_start
receiver ops
receiver slow
receiver safe "$W/tls/cert.pem" "$W/tls/key.pem"
receiver alerts

# ---- signed, and only what was asked for ----
"$backstay" hook add ops --url "http://$(address ops)/in" >ops.secret 2>/dev/null
"$backstay" hook add safe --url "https://$(address safe)/" --events 'user.*,hook.test' >safe.secret 2>/dev/null && fail "an unknown event is taken"
"$backstay" hook add safe --url "https://$(address safe)/" --events campaign.started >safe.secret 2>/dev/null
grep -q '^whsec_[A-Za-z0-9+/]\{43\}=$' ops.secret || fail "the secret is no secret of Standard Webhooks"
"$backstay" hook list --json | grep -q whsec_ && fail "the secret is told twice"
exits 73 "$backstay" hook add ops --url "http://$(address ops)/"
exits 65 "$backstay" hook add x --url "file:///etc/passwd"
exits 65 "$backstay" hook add x --url "http://ann:secret@127.0.0.1/"
"$backstay" hook test ops >/dev/null
wait_until 10 "a test letter" got ops '.body.type == "backstay.hook.test"' 1
jq -e '.signed and .age >= 0 and .age < 300 and .type == "application/cloudevents+json; charset=UTF-8" and .body.specversion == "1.0"
	and .id == .body.id and .body.source == "/backstay" and .body.data.text == "admin tries hook ops" and .body.data.audit_row > 0' log/ops.jsonl >/dev/null ||
	{ cat log/ops.jsonl; fail "the letter is not as it should be"; }
"$backstay" hook test safe >/dev/null
wait_until 10 "a letter over TLS" got safe '.signed' 1
echo "== letters are CloudEvents, signed, with a secret that is told once; over TLS, too"

# ---- a device that goes back is told ----
service_command=code/bin/run watch_interval=100ms poll_interval=200ms toy_soak=300
device_make one 0
device_start one
wait_until 20 "one to register" "$backstay" device show one
toy 1
toy_publish 1
wait_until 10 "the release to be told" got ops '.body.type == "backstay.release.published" and .body.data.release == "toy-1"' 1
toy_campaign 1
wait_until 60 "toy-1 to be everywhere" campaign_is to-1 done
wait_until 10 "the end to be told" got ops '.body.type == "backstay.campaign.done" and .body.subject == "to-1"' 1
toy 2 "exit 1"
toy_publish 2
toy_campaign 2
wait_until 90 "toy-2 to be aborted" campaign_is to-2 halted
wait_until 10 "the revert to be told" got ops '.body.type == "backstay.device.reverted" and .body.data.release == "toy-2" and .body.subject == "one"' 1
wait_until 10 "the abort to be told" got ops '.body.type == "backstay.campaign.aborted"' 1
got safe '.body.type == "backstay.campaign.started"' 2 || fail "the other hook was not told of both campaigns"
[ "$(jq -c 'select(.body.type != "backstay.campaign.started" and .body.type != "backstay.hook.test")' log/safe.jsonl | wc -l)" = 0 ] || fail "a hook was told what it is not for"
echo "== a campaign that aborts and the device that went back were told, to whom it is for"

# ---- an Alertmanager ----
"$backstay" hook add am --alertmanager --url "http://$(address alerts)" --events 'hook.test' >/dev/null
"$backstay" hook test am >/dev/null
wait_until 10 "an alert" got alerts '.path == "/api/v2/alerts"' 1
jq -e '.body[0] | .labels.alertname == "BackstayHookTest" and .labels.severity == "info" and (.annotations.summary | length) > 0
	and (.startsAt | fromdate) <= now and (.endsAt | fromdate) > now' log/alerts.jsonl >/dev/null || { cat log/alerts.jsonl; fail "no alert"; }
echo "== an alert as an Alertmanager takes it"

# ---- a receiver that does not answer holds up nobody ----
# It answers when everybody else was answered and not before, and its letter is waited for all the time: had anything waited
# behind that letter, nothing would go on here.
"$backstay" hook add slow --url "http://$(address slow)/" >slow.secret 2>/dev/null
manner slow hold
"$backstay" hook test slow >/dev/null
wait_until 10 "the letter to be under way" got slow '.answer == "hold"' 1
for i in 1 2 3 4 5 6 7 8 9 10; do curl -fs "$BACKSTAY_SERVER/healthz" >/dev/null || fail "the server does not answer"; done
polls=$("$backstay" device show one --json | jq .last_contact_ms)
told=$(jq -c 'select(.body.data.text == "admin tries hook ops")' log/ops.jsonl | wc -l)
"$backstay" hook test ops >/dev/null
wait_until 10 "the other hook to be told" got ops '.body.data.text == "admin tries hook ops"' $((told + 1))
wait_until 10 "the device to be answered" sh -c "[ \$('$backstay' device show one --json | jq .last_contact_ms) -gt $polls ]"
got slow true 2 && fail "the letter was not waited for"
[ "$(field slow delivered)" = 0 ] || fail "the letter was taken before the receiver answered"
manner slow ok
wait_until 10 "the letter to be taken" is_field slow delivered 1
got slow true 2 && fail "the letter was sent twice"

# ---- one that hangs is tried again ----
sed -i 's/^timeout = 1min/timeout = 1s/' server.conf
kill -9 "$(cat "$W/run/server.pid")"
wait_until 20 "the server to answer again" curl -fs "$BACKSTAY_SERVER/healthz"
manner slow hang
for i in 1 2 3; do "$backstay" hook test slow >/dev/null; done
wait_until 20 "the slow one to be tried again" got slow '.answer == "hang"' 2

# ---- where no letter goes ----
"$backstay" hook add cloud --url "http://169.254.169.254/latest/meta-data" >/dev/null 2>&1
"$backstay" hook add wrong --url "https://localhost:${server_port}/" >/dev/null 2>&1
"$backstay" hook add liar --url "https://localhost:$(cut -d: -f2 <"$W/run/safe.port")/" >/dev/null 2>&1
for h in cloud wrong liar; do "$backstay" hook test $h >/dev/null; done
for h in cloud wrong liar; do wait_until 20 "the hook $h to fail" sh -c "[ -n \"\$($backstay hook list --json | jq -r '.hooks[] | select(.name == \"$h\") | .why // empty')\" ]"; done
[ "$(field cloud why)" = "hooks may not go to that address" ] || fail "a link-local address is not refused: $(field cloud why)"
field liar why | grep -qi 'certificate\|SSL' || fail "a certificate of another name is taken: $(field liar why)"
[ "$(field cloud delivered)$(field wrong delivered)$(field liar delivered)" = 000 ] || fail "a letter went where none may go"
echo "== no letter goes to a link-local address, nor to who cannot prove its name"

# ---- given up, listed, sent again ----
wait_until 30 "its letters to be dead" sh -c "[ \$($backstay hook dead slow --json | jq '.dead | length') = 3 ]"
"$backstay" hook dead slow --json | jq -e '.dead | all(.tries == 4 and .why != "" and .type == "hook.test")' >/dev/null || fail "the dead are not as they should be"
manner slow ok
"$backstay" hook resend slow >/dev/null
wait_until 20 "the dead to arrive" is_field slow delivered 4
"$backstay" hook dead slow --json | jq -e '.dead == []' >/dev/null || fail "the dead are still there"
[ "$(ids slow hang)" = "$(ids slow ok)" ] || fail "another id at another attempt"
echo "== a receiver that hangs holds up nobody; what is given up is kept, and sent again under the same id"

# ---- Retry-After, 410, redirects ----
manner slow "503 2"
"$backstay" hook test slow >/dev/null
wait_until 10 "the receiver to ask for time" got slow '.answer == "503"' 1
manner slow ok
wait_until 20 "the letter to arrive" is_field slow delivered 5
jq -s -e '(map(select(.answer == "503")) | last) as $a | (map(select(.answer == "ok")) | last) as $b | $a.id == $b.id and $b.at - $a.at >= 2' log/slow.jsonl >/dev/null ||
	fail "Retry-After is not honoured"
manner slow 302
"$backstay" hook test slow >/dev/null
wait_until 10 "the letter to be dead" sh -c "[ \$($backstay hook dead slow --json | jq '.dead | length') = 1 ]"
got slow '.answer == "followed"' 1 && fail "a redirect was followed"
manner slow 410
"$backstay" hook test slow >/dev/null
wait_until 10 "the letter to be dead at once" sh -c "$backstay hook dead slow --json | jq -e '.dead[1].tries == 1 and .dead[1].status == 410'"
manner slow ok
echo "== Retry-After is honoured, 410 ends it, no redirect is followed"

# ---- another secret, while the receiver changes over ----
mv slow.secret slow.first
"$backstay" hook rotate slow >slow.next 2>said.txt
grep -q 'with the old one until 20' said.txt || fail "it is not said until when: $(cat said.txt)"
grep -q '^whsec_[A-Za-z0-9+/]\{43\}=$' slow.next && ! cmp -s slow.next slow.first || fail "the new secret is none"
"$backstay" hook list --json | jq -e '.hooks[] | select(.name == "slow") | .old_secret_until_ms / 1000 - now | . > 6 * 86400 and . < 8 * 86400' >/dev/null ||
	fail "the list does not tell of the old secret"
delivered=$(field slow delivered)
for s in first next; do # verified with one, then with the other
	cp slow.$s slow.secret
	"$backstay" hook test slow >/dev/null
	delivered=$((delivered + 1))
	wait_until 10 "a letter that is verified with the $s secret" is_field slow delivered $delivered
	tail -n 1 log/slow.jsonl | jq -e .signed >/dev/null || fail "the $s secret does not verify it"
done
"$backstay" hook rotate slow --end >/dev/null
exits 73 "$backstay" hook rotate slow --end
cp slow.first slow.secret
"$backstay" hook test slow >/dev/null
wait_until 10 "a letter of the new secret alone" is_field slow delivered $((delivered + 1))
tail -n 1 log/slow.jsonl | jq -e '.signed | not' >/dev/null || fail "the old secret still verifies"
cp slow.next slow.secret
exits 65 "$backstay" hook rotate am
echo "== a new secret: both verify while the receiver changes over, and the old one no more when it is ended"

# ---- killed at any moment: none lost, and twice under one id ----
before=$(field slow delivered)
manner slow cut
for i in $(seq 1 12); do
	"$backstay" hook test slow >/dev/null
	[ "$((i % 4))" = 0 ] || continue
	[ "$i" = 8 ] && manner slow ok
	kill -9 "$(cat "$W/run/server.pid")"
	wait_until 20 "the server to answer again" curl -fs "$BACKSTAY_SERVER/healthz"
done
"$backstay" hook resend slow >/dev/null
wait_until 60 "all of them to arrive" sh -c "[ \$($backstay hook list --json | jq '.hooks[] | select(.name == \"slow\") | .letters') = 0 ]"
n=$(jq -r 'select(.answer == "ok" or .answer == "cut") | .id' log/slow.jsonl | sort -u | wc -l)
[ "$(ids slow ok | wc -l)" -ge "$((before + 12))" ] || fail "of 12 letters some were lost: $(ids slow ok | wc -l) of $((before + 12))"
[ "$(jq -c 'select(.signed | not)' log/slow.jsonl | wc -l)" = 1 ] || fail "one was not signed"
echo "== 12 letters, 3 kills: each arrived ($n ids in $(wc -l <log/slow.jsonl) attempts), signed"

# ---- who may, and what it leaves ----
"$backstay" user add vera operator >vera.token 2>/dev/null
BACKSTAY_TOKEN_FILE=vera.token exits 77 "$backstay" hook list
BACKSTAY_TOKEN_FILE=vera.token exits 77 "$backstay" hook add mine --url "http://$(address ops)/"
BACKSTAY_TOKEN_FILE=vera.token "$backstay" drift list >/dev/null
"$backstay" hook remove slow >/dev/null
exits 66 "$backstay" hook test slow
"$backstay" audit list --last 1000 --json | jq -e '[.rows[] | select(.what == "hook") | .text] | any(startswith("admin made hook ops")) and any(startswith("admin removed hook slow"))
	and (any(contains("/in")) | not)' >/dev/null || fail "the audit log does not tell of hooks as it should"
echo "== administrators only; audited, without what may be secret in an address"
