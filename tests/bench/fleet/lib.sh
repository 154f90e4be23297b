# What the bench and the test of a whole fleet share: server, signer, broker and simulated devices, driven line by line.
# Sourced after tests/system/lib.sh. Wants FLEET, the program bench_fleet.

# fleet_world N: a broker and a server for so many devices, and two releases.
fleet_world() {
	broker_port=${broker_port:-$(free_ports 1)}
	cat >broker.conf <<CONF
listener $broker_port 127.0.0.1
allow_anonymous true
max_connections -1
log_type error
CONF
	keep broker mosquitto -c "$W/broker.conf"
	wait_until 10 "the broker to listen" mosquitto_pub -p "$broker_port" -t x -m y
	server_more="[mqtt]
url = mqtt://127.0.0.1:$broker_port
[http]
max_connections = $(($1 + 1000))
${fleet_more:-}"
	mkdir -p "$W/server/signer.conf.d"
	printf '[budget]\nnewcomers_burst = %s\n' "$(($1 + 1000))" >"$W/server/signer.conf.d/fleet.conf"
	server_start
	for n in 1 2; do
		toy $n
		toy_publish $n
	done
	first=$("$BACKSTAY_BIN/backstay" release list --json | jq -r ".releases[] | select(.id == \"toy-1\") | .digest")
}

# fleet_start N OPTION...: the devices, which run toy-1.
fleet_start() {
	n=$1
	shift
	# Each device has a disk of its own in the field: theirs are in memory, the server's is not.
	[ -d home ] || ln -s "$(mktemp -d /dev/shm/backstay-fleet.XXXXXX)" home
	mkfifo "$W/run/to-fleet"
	"$FLEET" --devices "$n" --port "$server_port" --broker "$broker_port" --home "$W/home" --repo "$W/keys/repo" \
		--runs toy-1 --digest "$first" "$@" <"$W/run/to-fleet" >"$W/run/fleet.out" 2>>"$W/log/fleet.log" &
	fleet_pid=$!
	exec 3>"$W/run/to-fleet"
	told=0
}

# tell COMMAND: sets $answer to the line that comes.
tell() {
	kill -0 "$fleet_pid" 2>/dev/null || fail "the devices are gone: $(tail -3 "$W/log/fleet.log")"
	echo "$*" >&3
	told=$((told + 1))
	until answer=$(sed -n "${told}p" "$W/run/fleet.out") && [ -n "$answer" ]; do
		kill -0 "$fleet_pid" 2>/dev/null || fail "the devices are gone: $(tail -3 "$W/log/fleet.log")"
		sleep 0.02
	done
}

# figures FILE: what was counted and timed since the last time.
figures() {
	echo figures >&3
	until sed -n "$((told + 1)),\$p" "$W/run/fleet.out" | grep -qx end; do
		sleep 0.02
	done
	sed -n "$((told + 1)),\$p" "$W/run/fleet.out" | grep -v '^end$' >"$1"
	told=$(wc -l <"$W/run/fleet.out")
}

# of FILE NAME
of() {
	awk -v name="$2" '$1 == name { print $2 }' "$1"
}

fleet_stop() {
	exec 3>&-
	wait "$fleet_pid" || true
	rm -f "$W/run/to-fleet"
}

# fleet_end: at the end of a run, however it ended.
fleet_end() {
	stop_all >/dev/null 2>&1 || true
	[ ! -L "$W/home" ] || rm -rf "$(readlink "$W/home")"
}

server_pid() {
	cat "$W/run/server.pid"
}
signer_pid() {
	pgrep -P "$(server_pid)" -f backstay-signer
}
broker_pid() {
	cat "$W/run/broker.pid"
}

# resident PID: MiB
resident() {
	awk '/^VmRSS/ { printf "%.1f\n", $2 / 1024 }' "/proc/$1/status"
}

# cpu PID: seconds of it that were used so far
cpu() {
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.2f\n", ($12 + $13) / hz }' "/proc/$1/stat"
}
