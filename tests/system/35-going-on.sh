# A large download whose agent is killed again and again, and whose server changes its address, is fetched once: after each
# end no more than 8 MiB of it are fetched again.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
service_command=code/bin/run watch_interval=100ms poll_interval=200ms
size=$((24 << 20)) again=$((8 << 20)) kills=3

relay() { # relay NAME: in front of the server; its port is in NAME/port
	mkdir -p "$W/$1"
	echo "rate=16000000" >"$W/$1/plan"
	keep "$1" python3 "$BACKSTAY_SRC/tests/net/relay.py" 127.0.0.1:0 "$server_port" "$W/$1"
	wait_until 10 "the relay to listen" test -s "$W/$1/port"
}

# move_to NAME: the device finds its server behind that relay from its next start on.
move_to() {
	sed -i "s|^url = .*|url = http://127.0.0.1:$(cat "$W/$1/port")|" "$W/dev/one.conf"
}

served() {
	echo $(($(cat "$W/near/served") + $(cat "$W/far/served")))
}

has_served() {
	[ "$(served)" -ge "$1" ]
}

server_start
relay near
relay far
device_make one 0
move_to near
device_start one
wait_until 20 "one to register" "$BACKSTAY_BIN/backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "toy-1 to run" campaign_is to-1 done
before=$(served)

toy 2
head -c $size /dev/urandom >"$W/toy/2/data/weights"
toy_publish 2
toy_campaign 2
i=1
while [ $i -le $kills ]; do
	wait_until 60 "part $i to be served" has_served $((before + size / (kills + 1) * i))
	move_to "$([ $((i % 2)) -eq 1 ] && echo far || echo near)"
	kill -KILL "$(cat "$W/run/one.pid")"
	i=$((i + 1))
done
wait_until 120 "toy-2 to run" campaign_is to-2 done
runs one 2 || fail "toy-2 does not run"
cmp "$W/toy/2/data/weights" "$W/dev/one/current/data/weights"
got=$(($(served) - before))
echo "== $kills kills: $((got >> 10)) KiB for $((size >> 10)) KiB, $(((got - size) / kills >> 10)) KiB again each time"
[ $got -le $((size + kills * again)) ] || fail "more than $((again >> 20)) MiB again each time"
[ "$(cat "$W/far/served")" -gt $((size / 4)) ] || fail "nothing came from the other address"
[ ! -e "$W/dev/one/slots/b.data.part" ] || fail "a part is left over"
