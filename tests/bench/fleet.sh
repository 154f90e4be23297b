# A whole campaign over real sockets: N devices with HTTP and MQTT sessions of their own, one server, one signer, one broker.
# Every device registers, polls, is woken, fetches and checks the metadata of both repositories, the document and the artifacts,
# reports each state of its update and its outcome. Printed, never asserted; but a lost report ends it.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
. "$BACKSTAY_SRC/tests/bench/lib.sh"
. "$BACKSTAY_SRC/tests/bench/fleet/lib.sh"
trap 'exit 1' INT TERM
: "${N:=10000}" "${RUNS:=3}" "${POLL_MS:=60000}" "${SPAN:=15}"
backstay=$BACKSTAY_BIN/backstay

# note FILE FIGURE: one line for each run.
note() {
	echo "$2" >>"$rows/$1"
}

# per A B: A / B
per() {
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.4g\n", b ? a / b : 0 }'
}

# spent PID WAS: seconds of the processor since then
spent() {
	awk -v a="$(cpu "$1")" -v b="$2" 'BEGIN { printf "%.2f\n", a - b }'
}

# polling NAME: SPAN seconds of nothing but polls.
polling() {
	tell sleep 2
	figures ignored
	was=$(cpu "$(server_pid)")
	tell sleep "$SPAN"
	figures "$1"
	used=$(spent "$(server_pid)" "$was")
	note "$1.rate" "$(per "$(of "$1" polls)" "$SPAN")"
	note "$1.p50" "$(of "$1" poll_p50)"
	note "$1.p99" "$(of "$1" poll_p99)"
	note "$1.cpu" "$(per "$(per "$used" "$(of "$1" polls)")" 0.000001)"
}

# measuring: SPAN seconds with telemetry; what a batch costs is what is left when the polls are paid as in "calm".
measuring() {
	tell measure
	tell sleep 2
	figures ignored
	was=$(cpu "$(server_pid)")
	tell sleep "$SPAN"
	figures measured
	used=$(spent "$(server_pid)" "$was")
	note batch.rate "$(per "$(of measured batches)" "$SPAN")"
	note batch.p50 "$(of measured batch_p50)"
	note batch.p99 "$(of measured batch_p99)"
	note batch.cpu "$(awk -v used="$used" -v polls="$(of measured polls)" -v poll="$(tail -1 "$rows/calm.cpu")" \
		-v batches="$(of measured batches)" 'BEGIN { printf "%.4g\n", batches ? (used * 1000000 - polls * poll) / batches : 0 }')"
}

campaign() {
	cat >policy.json <<JSON
{"format": 1, "name": "fleet", "first_alone": true, "max_failures": $N, "silence_ms": 3600000, "roll_back_on_abort": false,
 "waves": [{"name": "one-by-one", "count": 20, "parallel": 1, "soak_ms": 2000},
  {"name": "tenth", "share_permille": 100, "parallel": $((N / 20 + 1)), "soak_ms": 2000},
  {"name": "rest", "share_permille": 900, "parallel": $((N / 10 + 1)), "soak_ms": 0}]}
JSON
	"$backstay" campaign create to-2 --release toy-2 --policy policy.json >/dev/null
	figures ignored
	server_was=$(cpu "$(server_pid)") signer_was=$(cpu "$(signer_pid)") broker_was=$(cpu "$(broker_pid)")
	tell begin
	began=$(date +%s.%N)
	"$backstay" campaign start to-2 >/dev/null
	tell ended
	wait_until 60 "the campaign to be done" campaign_is to-2 done
	took=$(awk -v a="$(date +%s.%N)" -v b="$began" 'BEGIN { print a - b }')
	figures campaign
	[ "$(of campaign updates)" = "$N" ] || fail "$(of campaign updates) updates, not $N"
	[ "$(of campaign refused)$(of campaign early)" = 00 ] || fail "reports were refused, or came too early"
	note minutes "$(per "$took" 60)"
	note events "$(per "$(of campaign reports)" "$took")"
	note requests "$(per $(($(of campaign reports) + $(of campaign polls) + $(of campaign files) + $(of campaign batches))) "$took")"
	for k in report_p50 report_p99 decision_p50 decision_p99 poll_p99 meta_p99; do
		note $k "$(of campaign $k)"
	done
	note server.cpu "$(per "$(spent "$(server_pid)" "$server_was")" "$(per "$N" 1000)")"
	note signer.cpu "$(per "$(spent "$(signer_pid)" "$signer_was")" "$(per "$N" 1000)")"
	note broker.cpu "$(per "$(spent "$(broker_pid)" "$broker_was")" "$(per "$N" 1000)")"
	note batches "$(per "$(of campaign batches)" "$took")"
	"$backstay" audit replay to-2 >replay.txt || fail "the replay differs: $(cat replay.txt)"
}

one_run() {
	mkdir -p "$W"
	cd "$W"
	mkdir -p run log
	broker_port= server_port=
	fleet_world "$N"
	began=$(date +%s.%N)
	fleet_start "$N" --poll "$POLL_MS" --artifacts
	tell registered
	tell listening
	tell sleep 3
	figures ignored
	polling calm
	tell flood
	polling flood
	tell calm
	tell sleep 3
	measuring
	campaign
	note server.rss "$(resident "$(server_pid)")"
	note signer.rss "$(resident "$(signer_pid)")"
	note broker.rss "$(resident "$(broker_pid)")"
	[ "$(of campaign wrong)$(of campaign broken)" = 00 ] || fail "answers that a device cannot use: $(tail -3 log/fleet.log)"
	note store "$(du -sm "$W/server/store.db" | cut -f1)"
	fleet_stop
	fleet_start "$N" --poll "$POLL_MS" --reconnect
	tell registered
	tell flood
	polling reconnect
	fleet_stop
	stop_all
}

top=$W rows=$W/rows
mkdir -p "$rows"
for run in $(seq "$RUNS"); do
	W=$top/$run
	(
		trap fleet_end EXIT
		one_run
	)
done
# figure NAME UNIT FILE
figure() {
	# shellcheck disable=SC2046
	row "$1" "$2" $(cat "$rows/$3")
}
head_rows "A fleet over real sockets: $N devices, each with HTTP connection, address and MQTT session of its own; a poll each $((POLL_MS / 1000)) s, and when woken; runs: $RUNS; machine: $(nproc) processors, shared by devices, server, signer and broker"
figure "polls as configured" "polls/s" calm.rate
figure "— answered after, median" ms calm.p50
figure "— p99" ms calm.p99
figure "— processor of the server for each" µs calm.cpu
figure "polls without a pause, connections kept" "polls/s" flood.rate
figure "— answered after, median" ms flood.p50
figure "— p99" ms flood.p99
figure "— processor of the server for each" µs flood.cpu
figure "polls without a pause, a connection for each" "polls/s" reconnect.rate
figure "— processor of the server for each" µs reconnect.cpu
figure "telemetry as configured (4 items in a batch)" "batches/s" batch.rate
figure "— taken after, median" ms batch.p50
figure "— p99" ms batch.p99
figure "— processor of the server for a batch" µs batch.cpu
figure "a release on all devices" minutes minutes
figure "events (reports stored) meanwhile" "events/s" events
figure "telemetry meanwhile" "batches/s" batches
figure "requests for all that" "requests/s" requests
figure "— a report, stored after, median" ms report_p50
figure "— p99" ms report_p99
figure "— a poll, p99" ms poll_p99
figure "— a file, p99" ms meta_p99
figure "decision: outcome leaves the device → the next one is woken, median" ms decision_p50
figure "— p99" ms decision_p99
figure "processor of the server for an update" ms server.cpu
figure "— of the signer" ms signer.cpu
figure "— of the broker" ms broker.cpu
figure "server, resident" MiB server.rss
figure "signer, resident" MiB signer.rss
figure "broker, resident" MiB broker.rss
figure "store on disk" MiB store
