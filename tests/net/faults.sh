# A whole install over a network that fails, once for each way: server and relay in one network namespace (this one), the
# device in another. Every install ends well, and what is fetched more than once is bounded. Prints a table.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
device_ns=bs-net-$$ there=10.213.77.2 here=10.213.77.1 moved=10.213.77.3
size=$((${NET_MIB:-12} << 20))
service_command=code/bin/run watch_interval=100ms poll_interval=500ms toy_soak=300

clean() {
	stop_all >/dev/null 2>&1
	ip netns del "$device_ns" 2>/dev/null || true
	rm -rf "/etc/netns/$device_ns"
}
trap clean EXIT
trap 'exit 1' INT TERM

# ---- the network ----------------------------------------------------------------------------------------------------

ip link set lo up
ip netns add "$device_ns"
ip link add bs-here type veth peer name bs-there netns "$device_ns"
ip addr add $here/24 dev bs-here
ip link set bs-here up
ip -n "$device_ns" link set lo up
ip -n "$device_ns" addr add $there/24 dev bs-there
ip -n "$device_ns" link set bs-there up
# The device knows the server by name; `ip netns exec` shows it this file as /etc/hosts.
mkdir -p "/etc/netns/$device_ns"
name_is() {
	printf '127.0.0.1 localhost\n%s server.test\n' "$1" >"/etc/netns/$device_ns/hosts"
}
name_is $here

# ---- server, relay and device -----------------------------------------------------------------------------------------

server_start
mkdir -p "$W/relay"
relay_port=$(free_ports 1)
keep relay python3 "$BACKSTAY_SRC/tests/net/relay.py" "0.0.0.0:$relay_port" "$server_port" "$W/relay"
wait_until 10 "the relay to listen" test -s "$W/relay/port"
device_more="[net]
low_speed_time = 1s
connect_timeout = 2s"
device_make one 0
sed -i "s|^url = .*|url = http://server.test:$relay_port\ninsecure_http = yes|" "$W/dev/one.conf"
keep one ip netns exec "$device_ns" "$BACKSTAY_BIN/backstay-agent" --config "$W/dev/one.conf"
wait_until 30 "one to register" "$BACKSTAY_BIN/backstay" device show one

served() { cat "$W/relay/served"; }
asked() { cat "$W/relay/asked"; }
has_served() { [ "$(served)" -ge "$1" ]; }

# ---- faults: on, then off again -----------------------------------------------------------------------------------------

plan() { echo "$*" >"$W/relay/plan"; }
calm() {
	plan
	nft flush ruleset
	iptables -F OUTPUT
	iptables -F INPUT
	tc qdisc del dev bs-here root 2>/dev/null || true
}
lossy() { # permille, in both directions
	nft -f - <<NFT
table inet net {
	chain out { type filter hook output priority 0; oifname "bs-here" meta l4proto tcp numgen random mod 1000 < $1 drop; }
	chain in { type filter hook input priority 0; iifname "bs-here" meta l4proto tcp numgen random mod 1000 < $1 drop; }
}
NFT
}
# What becomes of a connection that has given N bytes: it falls silent, or what the device says to it is refused.
silent_after() {
	iptables -A OUTPUT -o bs-here -p tcp --sport "$relay_port" -m connbytes --connbytes "$1:" --connbytes-dir reply \
		--connbytes-mode bytes -j DROP
}
reset_after() {
	iptables -A INPUT -i bs-here -p tcp --dport "$relay_port" -m connbytes --connbytes "$1:" --connbytes-dir reply \
		--connbytes-mode bytes -j REJECT --reject-with tcp-reset
}
slow() { tc qdisc add dev bs-here root tbf rate "$1" burst 64kb latency 50ms; }

# What happens in the middle of a transfer, when the first third is there.
nothing() { :; }
address_changes() {
	ip addr add $moved/24 dev bs-here
	name_is $moved
	ip addr del $here/24 dev bs-here
	ip addr show dev bs-here | grep -q "$moved" || ip addr add $moved/24 dev bs-here
}
has_given_up() {
	[ -z "$(ip netns exec "$device_ns" ss -Htn state established dport = ":$relay_port")" ]
}
link_breaks() { # for as long as the device hopes
	ip link set bs-here down
	wait_until 60 "the device to give its connections up" has_given_up
	ip link set bs-here up
}
agent_dies() { kill -KILL "$(cat "$W/run/one.pid")"; }

# ---- one install after the other ------------------------------------------------------------------------------------------

# Bytes that may be fetched again for each time that an artifact was asked for: what the relay and the kernel held.
SLACK=$((1 << 20)) CHUNK=$((8 << 20))

n=0
printf '| fault | seconds | bytes over size | asked for |\n|---|---|---|---|\n'
install() { # install NAME MIDDLE SETUP...
	fault=$1 middle=$2
	shift 2
	n=$((n + 1))
	toy $n
	head -c $size /dev/urandom >"$W/toy/$n/data/weights"
	toy_publish $n
	"$@"
	served_before=$(served) asked_before=$(asked) began=$(date +%s%N)
	toy_campaign $n
	if [ "$middle" != nothing ]; then
		wait_until 120 "$fault: a third to be there" has_served $((served_before + size / 3))
		$middle
	fi
	wait_until 240 "$fault: toy-$n to run" campaign_is to-$n done
	ended=$(date +%s%N)
	runs one $n || fail "$fault: toy-$n does not run"
	cmp -s "$W/toy/$n/data/weights" "$W/dev/one/current/data/weights" || fail "$fault: other bytes"
	calm
	over=$(($(served) - served_before - size)) times=$(($(asked) - asked_before))
	printf '| %s | %d.%d | %d KiB | %d |\n' "$fault" $(((ended - began) / 1000000000)) $(((ended - began) / 100000000 % 10)) \
		$((over >> 10)) $times
	[ $over -le $((times * SLACK + (1 << 20) + ${restarts:-0} * CHUNK)) ] || fail "$fault: $over bytes more than there are"
}

calm
install "none" nothing nothing
install "none, relayed at 8 MB/s" nothing plan rate=8000000
install "2 % of packets lost" nothing lossy 20
install "10 % of packets lost" nothing lossy 100
install "black hole after 5 MB of each connection" nothing silent_after 5000000
install "reset after 5 MB of each connection" nothing reset_after 5000000
install "closed after 3 MB of each connection" nothing plan cut=3000000
install "silence after 4 MB, once" nothing plan hole=4000000 once
install "503 for four times" nothing plan fail=4
install "a byte, then silence, three times" nothing plan drip=3
install "each piece 30 ms late" nothing plan delay=0.03
install "40 Mbit/s" nothing slow 40mbit
install "the link breaks" link_breaks plan rate=8000000
restarts=1
install "the agent is killed" agent_dies plan rate=8000000
restarts=0
install "the server's address changes" address_changes plan rate=8000000
echo "== $n installs over a network that fails, all of them well"
