# What the system tests and the demo share: a fleet of real programs on loopback, in one folder, cleaned up at the end.
# Sourced by /bin/sh. Wants BACKSTAY_BIN (programs) and BACKSTAY_SRC (the tree); works in the current folder.

W=$(pwd)
mkdir -p "$W/run" "$W/log"
export BACKSTAY_SERVER= BACKSTAY_TOKEN_FILE=

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# exits STATUS COMMAND...: its output is in out.txt and err.txt.
exits() {
	want=$1 got=0
	shift
	"$@" >out.txt 2>err.txt </dev/null || got=$?
	[ "$got" = "$want" ] || {
		cat out.txt err.txt
		fail "'$*' exits with $got, expected $want"
	}
}

# wait_until SECONDS TEXT COMMAND...: asks again until the command succeeds; says what it was waiting for when it does not.
wait_until() {
	limit=$1 what=$2
	shift 2
	end=$(($(date +%s) + limit))
	until "$@" >"$W/run/wait.out" 2>&1; do
		if [ "$(date +%s)" -ge "$end" ]; then
			cat "$W/run/wait.out" >&2
			fail "waited $limit s in vain: $what"
		fi
		sleep 0.05
	done
}

# free_ports N: as many ports that nobody listens on just now, one a line.
free_ports() {
	python3 - "$1" <<'PY'
import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in held:
    s.bind(("127.0.0.1", 0))
for s in held:
    print(s.getsockname()[1])
PY
}

# keep NAME COMMAND...: runs a program in the background and starts it again when it ends, as a service manager does, until
# `let_go NAME`. Its pid is in run/NAME.pid, its output in log/NAME.log. It holds nothing of its caller's open, so that
# whoever reads the caller's output sees its end.
keep() {
	name=$1
	shift
	: >"$W/run/$name.keep"
	(
		while [ -e "$W/run/$name.keep" ]; do
			"$@" >>"$W/log/$name.log" 2>&1 &
			echo $! >"$W/run/$name.pid"
			wait $! || true
		done
	) </dev/null >/dev/null 2>&1 &
	wait_until 5 "$name to be started" test -s "$W/run/$name.pid"
}

let_go() {
	rm -f "$W/run/$1.keep"
	[ -s "$W/run/$1.pid" ] || return 0
	kill -TERM "$(cat "$W/run/$1.pid")" 2>/dev/null || true
	wait_until 20 "$1 to end" sh -c "! kill -0 $(cat "$W/run/$1.pid") 2>/dev/null"
}

# Everything that was kept, and the workloads that agents have started (they outlive their agent on purpose).
stop_all() {
	for k in "$W"/run/*.keep; do
		[ -e "$k" ] && let_go "$(basename "$k" .keep)"
	done
	for p in $(pgrep -f "^[^ ]* .*--name $W/" 2>/dev/null) $(workload_pids); do
		kill -TERM "$p" 2>/dev/null || true
	done
}

# Processes whose working directory is in a slot of one of our devices.
workload_pids() {
	for d in /proc/[0-9]*; do
		case $(readlink "$d/cwd" 2>/dev/null) in "$W"/dev/*/slots/*) basename "$d" ;; esac
	done
}

# champion_of NAME, challenger_of NAME: the process that serves, and the one that is compared with it.
is_beside() {
	grep -qz '^BACKSTAY_SHADOW=1' "/proc/$1/environ" 2>/dev/null
}
pids_of() {
	for p in $(workload_pids); do
		case $(readlink "/proc/$p/cwd") in "$W/dev/$1/slots/"*) echo "$p" ;; esac
	done
}
champion_of() {
	for p in $(pids_of "$1"); do
		if ! is_beside "$p"; then echo "$p"; fi
	done
}
challenger_of() {
	for p in $(pids_of "$1"); do
		if is_beside "$p"; then echo "$p"; fi
	done
}

# server_start: keys, repositories, a server ($server_more is added to its configuration, $server_scheme may be https); sets BACKSTAY_SERVER and BACKSTAY_TOKEN_FILE for the command line.
server_start() {
	[ -d "$W/keys" ] || "$BACKSTAY_BIN/backstay" keys init "$W/keys" >/dev/null
	server_port=${server_port:-$(free_ports 1)}
	mkdir -p "$W/server"
	cat >"$W/server.conf" <<CONF
[server]
bind = 127.0.0.1
port = $server_port
data = $W/server
[signer]
timeout = 30s
[trust]
repo = $W/keys/repo
keys = $W/keys/online
${server_more:-}
CONF
	keep server "$BACKSTAY_BIN/backstay-server" --config "$W/server.conf"
	BACKSTAY_SERVER=${server_scheme:-http}://127.0.0.1:$server_port
	BACKSTAY_TOKEN_FILE=$W/server/token
	export BACKSTAY_SERVER BACKSTAY_TOKEN_FILE
	wait_until 10 "the server to answer" curl -fs "$BACKSTAY_SERVER/healthz"
}

# device_make NAME PORT: a device's home with its configuration ($device_more is added) and the provisioned roots. PORT is its workload's.
device_make() {
	home=$W/dev/$1
	mkdir -p "$home" "$W/run/$1"
	cat >"$W/dev/$1.conf" <<CONF
[device]
id = $1
hardware = edge-x86
[server]
url = $BACKSTAY_SERVER
poll_interval = ${poll_interval:-1s}
[agent]
home = $home
run_dir = $W/run/$1
socket = $W/run/$1.sock
watch_interval = ${watch_interval:-500ms}
[service]
kind = ${service_kind:-exec}
${service_base:+base = $service_base}
command = ${service_command:-}
health_url = ${service_health:+http://127.0.0.1:$2$service_health}
reload_url = ${service_reload:+http://127.0.0.1:$2$service_reload}
metrics_url = ${service_metrics:+http://127.0.0.1:$2$service_metrics}
${device_more:-}
CONF
	"$BACKSTAY_BIN/backstay-agent" --config "$W/dev/$1.conf" --provision "$W/keys/repo"
}

device_start() {
	keep "$1" "$BACKSTAY_BIN/backstay-agent" --config "$W/dev/$1.conf"
}

on_device() { # on_device NAME COMMAND...
	dev=$1
	shift
	"$BACKSTAY_BIN/backstay" "$@" --socket "$W/run/$dev.sock"
}

# ask NAME FILTER: one value of the agent's status.
ask() {
	on_device "$1" status --json | jq -r "$2"
}

# is NAME FILTER VALUE: for wait_until.
is() {
	[ "$(ask "$1" "$2")" = "$3" ]
}

# ---- a toy workload, for tests that are about the update and not about the workload ------------------------------

# toy N [COMMAND]: template and components of the release toy-N: its program runs COMMAND (default: for ever). $toy_more
# are further members of the document.
toy() {
	mkdir -p "$W/toy/$1/code/bin" "$W/toy/$1/data"
	printf '#!/bin/sh\necho toy-%s runs in "$BACKSTAY_SLOT"\n%s\n' "$1" "${2:-exec sleep 1000000}" >"$W/toy/$1/code/bin/run"
	chmod +x "$W/toy/$1/code/bin/run"
	echo "toy-$1" >"$W/toy/$1/code/version"
	echo "the same in every release" >"$W/toy/$1/data/shared"
	cat >"$W/toy/$1/release.json" <<JSON
{
	"format": 1, "id": "toy-$1", "product": "toy", "version": "$1", "notes": "toy",
	"components": [
		{"name": "code", "kind": "code", "path": "code", "source": "code"},
		{"name": "data", "kind": "model", "path": "data", "source": "data"}
	],
	"activation": "restart", "start_timeout_ms": 5000, "soak_ms": ${toy_soak:-1500}, "baseline_wait_ms": 0,
	"smoke": [{"name": "looks", "kind": "exec", "argv": ["/bin/sh", "-c", "${toy_smoke:-test -x code/bin/run}"], "timeout_ms": 5000}],
	"triggers": [
		{"type": "start_failed"}, {"type": "smoke_failed"}, {"type": "operator"},
		{"type": "crash_loop", "threshold_milli": 2000, "window_ms": 60000}
	]${toy_more:+, $toy_more}
}
JSON
}

# toy_publish N: packed, signed by all parties, uploaded. It may be rolled back to $toy_back, by default to the first
# one and to the seven before it.
toy_publish() {
	"$BACKSTAY_BIN/backstay" release create "$W/toy/$1/release.json" --out "$W/packed/$1" >/dev/null
	ways=${toy_back:+--rollback-to $toy_back} i=1
	while [ -z "${toy_back:-}" ] && [ $i -lt "$1" ]; do
		[ $i -gt 1 ] && [ $i -lt $(($1 - 7)) ] || ways="$ways --rollback-to toy-$i"
		i=$((i + 1))
	done
	# shellcheck disable=SC2086
	"$BACKSTAY_BIN/backstay" release sign "$W/packed/$1" --keys "$W/keys" --hardware edge-x86 --counter "$1" $ways >/dev/null
	"$BACKSTAY_BIN/backstay" release publish "$W/packed/$1" --keys "$W/keys" >/dev/null
}

# toy_campaign N: a campaign for everybody, in one wave behind the first device.
toy_campaign() {
	cat >"$W/policy.json" <<JSON
{"format": 1, "name": "test", "first_alone": true, "max_failures": 0, "silence_ms": 60000, "roll_back_on_abort": true,
 "waves": [{"name": "all", "share_permille": 1000, "parallel": 0, "soak_ms": 0}]}
JSON
	"$BACKSTAY_BIN/backstay" campaign create "to-$1" --release "toy-$1" --policy "$W/policy.json" >/dev/null
	"$BACKSTAY_BIN/backstay" campaign start "to-$1" >/dev/null
}

campaign_is() {
	[ "$("$BACKSTAY_BIN/backstay" campaign status "$1" --json | jq -r .phase)" = "$2" ]
}

# runs NAME N: does the device's workload really run release N? Asked of the process, not of the agent.
runs() {
	for p in $(workload_pids); do
		case $(readlink "/proc/$p/cwd") in
		"$W/dev/$1/slots/"*) [ "$(cat "/proc/$p/cwd/code/version")" = "toy-$2" ] && return 0 ;;
		esac
	done
	return 1
}

# ---- parties on machines of their own ------------------------------------------------------------------------------

# parties_part: takes each party's key out of $W/keys into a folder of its own, with its own copy of the repository.
parties_part() {
	for p in engineering safety compliance; do
		mkdir -p -m 700 "$W/party/$p"
		mv "$W/keys/offline/$p"-*.pem "$W/party/$p/"
		cp -r "$W/keys/repo" "$W/party/$p/repo"
	done
}

# approve_and_publish N [TERMS...]: packed, proposed, approved by each party on its own machine, published.
approve_and_publish() {
	n=$1
	shift
	[ -d "$W/packed/$n" ] || "$BACKSTAY_BIN/backstay" release create "$W/toy/$n/release.json" --out "$W/packed/$n" >/dev/null
	"$BACKSTAY_BIN/backstay" release propose "$W/packed/$n" --keys "$W/keys" --hardware edge-x86 --counter "$n" "$@" >/dev/null
	for p in engineering safety compliance; do
		"$BACKSTAY_BIN/backstay" release approve "$W/packed/$n" --role "$p" --keys "$W/party/$p" --yes >/dev/null
	done
	"$BACKSTAY_BIN/backstay" release publish "$W/packed/$n" --keys "$W/keys" >/dev/null
}

# token_make NAME DIR: a software token, and its PIN in DIR/pin.
token_make() {
	mkdir -p -m 700 "$W/tokens"
	[ -e "$W/softhsm.conf" ] || printf 'directories.tokendir = %s\nlog.level = ERROR\n' "$W/tokens" >"$W/softhsm.conf"
	SOFTHSM2_CONF=$W/softhsm.conf
	export SOFTHSM2_CONF
	softhsm2-util --init-token --free --label "$1" --pin 12345 --so-pin 12345678 >/dev/null
	(umask 077 && echo 12345 >"$2/pin")
}

# token_take TOKEN DIR NAME: moves the key file DIR/NAME.pem into the token.
token_take() {
	softhsm2-util --import "$2/$3.pem" --token "$1" --label "$3" --id "$(printf '%s' "$3" | sha256sum | cut -c1-8)" --pin 12345 >/dev/null
	(umask 077 && echo "pkcs11:token=$1;object=$3?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=pin" >"$2/$3.p11")
	rm "$2/$3.pem"
}

# ---- the life of keys ------------------------------------------------------------------------------------------------

# server_again: the same server, started anew: it reads its keys when it starts.
server_again() {
	let_go server
	server_start
}

# new_key NAME DIR [SCHEME]: a private key in DIR, and its public half beside it.
new_key() {
	"$BACKSTAY_BIN/backstay" keys new "$1" --keys "$2" --scheme "${3:-ecdsa-sha2-nistp256}" >/dev/null
	"$BACKSTAY_BIN/backstay" keys public "$2" >/dev/null
}

# sleeper N: device "two" is off while something happens, and gets release N when it is back.
sleep_two() {
	let_go two
}
wake_two() { # wake_two N
	device_start two
	wait_until 60 "two to run toy-$1" runs two "$1"
	wait_until 60 "to-$1 to end" campaign_is "to-$1" done
}

# key_fleet: a server whose keys are spread as they should be, and two devices that run toy-1.
key_fleet() {
	service_command=code/bin/run watch_interval=100ms poll_interval=200ms toy_soak=300
	server_start
	parties_part
	for d in one two; do
		device_make "$d" 0
		device_start "$d"
	done
	for d in one two; do
		wait_until 20 "$d to register" "$BACKSTAY_BIN/backstay" device show "$d"
	done
	release_to 1
}

# release_to N: toy-N approved by the three parties, published, and running on device one, at least.
release_to() {
	toy "$1"
	back=
	[ "$1" -eq 1 ] || back="--rollback-to toy-$(($1 - 1))"
	# shellcheck disable=SC2086
	approve_and_publish "$1" $back
	toy_campaign "$1"
	wait_until 60 "one to run toy-$1" runs one "$1"
}

# everybody_takes: what changed in $W/keys/repo reaches the parties' copies.
everybody_takes() {
	for p in engineering safety compliance; do
		"$BACKSTAY_BIN/backstay" keys take "$W/keys/repo" "$W/party/$p/repo" >/dev/null
	done
}

# rotate_party ROLE N [SCHEME]: a party gets key number N: made on its machine, listed by targets, its file signed anew.
rotate_party() {
	new_key "$1-$2" "$W/party/$1" "${3:-}"
	"$BACKSTAY_BIN/backstay" keys rotate "$1" "$W/keys/repo" --public "$W/party/$1/$1-$2.pub" --keys "$W/keys" >/dev/null
	"$BACKSTAY_BIN/backstay" keys take "$W/keys/repo" "$W/party/$1/repo" >/dev/null
	"$BACKSTAY_BIN/backstay" keys renew "$1" "$W/party/$1/repo" --keys "$W/party/$1" >/dev/null
	"$BACKSTAY_BIN/backstay" keys take "$W/party/$1/repo" "$W/keys/repo" >/dev/null
}

# rotate_witness ROLE N [SCHEME]: who gives evidence gets key number N, listed by targets.
rotate_witness() {
	new_key "$1-$2" "$W/keys/evidence" "${3:-}"
	"$BACKSTAY_BIN/backstay" keys rotate "$1" "$W/keys/repo" --public "$W/keys/evidence/$1-$2.pub" --keys "$W/keys" >/dev/null
}

# rotate_online ROLE N [SCHEME]: one of the server's keys is replaced; the old file is moved away once the new one counts.
rotate_online() {
	new_key "$1-$2" "$W/keys/online" "${3:-}"
	server_again
	"$BACKSTAY_BIN/backstay" keys rotate "$1" "$W/keys/repo" --public "$W/keys/online/$1-$2.pub" --keys "$W/keys" >/dev/null
	"$BACKSTAY_BIN/backstay" keys publish "$W/keys/repo" >/dev/null
	mkdir -p "$W/keys/old"
	for k in "$W/keys/online/$1.pem" "$W/keys/online/$1"-[0-9]*.pem; do
		[ ! -e "$k" ] || [ "$k" = "$W/keys/online/$1-$2.pem" ] || mv "$k" "$W/keys/old/"
	done
	server_again
}

# rotate_root REPOSITORY N...: all three keys of a root are replaced by numbers N, N+1, N+2.
rotate_root() {
	pubs=
	for i in 0 1 2; do
		new_key "$1-root-$(($2 + i))" "$W/keys/offline" "${3:-}"
		pubs="$pubs --public $W/keys/offline/$1-root-$(($2 + i)).pub"
	done
	# shellcheck disable=SC2086
	"$BACKSTAY_BIN/backstay" keys rotate "$1-root" "$W/keys/repo" $pubs --keys "$W/keys" >/dev/null
}

# rotate_targets N [SCHEME]: the keys of top-level targets are replaced by numbers N, N+1, N+2, and the file signed anew.
rotate_targets() {
	pubs=
	for i in 0 1 2; do
		new_key "image-targets-$(($1 + i))" "$W/keys/offline" "${2:-}"
		pubs="$pubs --public $W/keys/offline/image-targets-$(($1 + i)).pub"
	done
	# shellcheck disable=SC2086
	"$BACKSTAY_BIN/backstay" keys rotate image-targets "$W/keys/repo" $pubs --keys "$W/keys" >/dev/null
	"$BACKSTAY_BIN/backstay" keys renew image-targets "$W/keys/repo" --keys "$W/keys" >/dev/null
}
