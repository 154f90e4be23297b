#!/bin/sh
# The agent on a message bus: a private one here, with the policy file that the package brings and no polkit, so that nobody
# but root may change anything. packaging/check-deb-inside asks a real polkit.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
[ "$(id -u)" = 0 ] || { echo "== skipped: not root"; exit 0; }
dbus= monitor= sock=
end() {
	stop_all >/dev/null 2>&1
	[ -z "$dbus$monitor" ] || kill $dbus $monitor 2>/dev/null || true
	[ -z "$sock" ] || rm -rf "$sock"
}
trap end EXIT
trap 'exit 1' INT TERM
service_command=code/bin/run watch_interval=100ms poll_interval=200ms

# A stranger must reach the socket.
sock=$(mktemp -d /tmp/backstay-bus.XXXXXX)
chmod 755 "$sock"
cat >bus.conf <<CONF
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=$sock/bus</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>$BACKSTAY_SRC/packaging/dbus/org.backstay.conf</include>
</busconfig>
CONF
DBUS_SYSTEM_BUS_ADDRESS=unix:path=$sock/bus
export DBUS_SYSTEM_BUS_ADDRESS
bus_begins() {
	dbus-daemon --config-file=bus.conf --nofork --nopidfile 2>>log/bus.log &
	dbus=$!
	wait_until 10 "the bus" test -S "$sock/bus"
}
call() { busctl --timeout=10 call org.backstay /org/backstay org.backstay.Installer "$@"; }
get() { busctl --timeout=10 get-property org.backstay /org/backstay org.backstay.Installer "$@"; }
served() { get Operation; }
stranger() { setpriv --reuid 65534 --regid 65534 --clear-groups busctl --timeout=10 call org.backstay /org/backstay org.backstay.Installer "$@"; }
says() { # says WANTED COMMAND...
	want=$1
	shift
	got=$("$@")
	[ "$got" = "$want" ] || fail "'$*' answers $got, expected $want"
}

server_start
device_more="[agent]
bus = system"
device_make one 0
# It is there before the bus is, and does its work without it.
device_start one
wait_until 20 "one to register" "$BACKSTAY_BIN/backstay" device show one
toy 1
toy_publish 1
toy_campaign 1
wait_until 60 "to-1 to end" campaign_is to-1 done
grep -q "action=bus" log/one.log || fail "nothing was said about the missing bus"
bus_begins
let_go one
device_start one
wait_until 20 "the agent on the bus" served
says 's "idle"' get Operation
says 's "edge-x86"' get Compatible
says 's "a"' get BootSlot
says 's ""' get LastError
get Progress | grep -q '^(isi) 100 "' || fail "the progress is $(get Progress)"
says 's "a"' call GetPrimary
call GetSlotStatus >slots.txt
grep -q '"a" 6 "bootname" s "a" "state" s "booted" "status" s "ok" "boot-status" s "good" "bundle.version" s "toy-1" "sha256" s ' slots.txt ||
	fail "the slots are $(cat slots.txt)"
busctl introspect --xml-interface org.backstay /org/backstay | sed -n '/<interface name="org.backstay.Installer">/,/<\/interface>/p' >said.xml
sed -n '/<interface name="org.backstay.Installer">/,/<\/interface>/p' "$BACKSTAY_SRC/packaging/dbus/org.backstay.Installer.xml" | diff - said.xml ||
	fail "packaging/dbus/org.backstay.Installer.xml is not what the agent says of itself"
echo "== without a bus the agent does its work; with one it is described as installed, and says where it stands"

for try in "InstallBundle sa{sv} / 0" "InstallBundle sa{sv}  0" "Mark ss bad booted" "Rollback s x" "Consent st yes 0"; do
	set -- $try
	[ "$try" != "InstallBundle sa{sv}  0" ] || set -- InstallBundle 'sa{sv}' '' 0
	if stranger "$@" 2>refused.txt; then fail "a stranger may: $try"; fi
	grep -q "Access denied" refused.txt || { cat refused.txt; fail "the refusal of $try"; }
done
stranger GetPrimary | grep -qx 's "a"' || fail "a stranger may not even ask"
if call InstallBundle 'sa{sv}' relative/dir 0 2>refused.txt; then fail "a relative folder was taken"; fi
if call Mark ss good third 2>refused.txt; then fail "a third slot was found"; fi
grep -q "none of: booted, other" refused.txt || fail "the refusal of a third slot: $(cat refused.txt)"
if call Consent st perhaps 0 2>refused.txt; then fail "perhaps is an answer"; fi
if call Consent st later 9000000000 2>refused.txt; then fail "an answer may wait for months"; fi
if call Mark ss ugly booted 2>refused.txt; then fail "a slot can be ugly"; fi
is one .running.release toy-1 || fail "something has changed"
echo "== a stranger may look, and change nothing; nonsense is refused"

busctl --timeout=10 monitor org.backstay --match "type='signal',path='/org/backstay'" >signals.txt 2>&1 &
monitor=$!
wait_until 10 "the monitor" grep -q "Monitoring bus" signals.txt
let_go one
sed -i 's/^poll_interval = .*/poll_interval = 1h/' dev/one.conf
device_start one
wait_until 20 "the agent on the bus" served
wait_until 20 "the agent to have asked" is one '.server.answered_at > 0' true
toy 2
jq '.preconditions = [{"type": "consent"}]' toy/2/release.json >toy/2/asks.json && mv toy/2/asks.json toy/2/release.json
toy_publish 2
toy_campaign 2
call InstallBundle 'sa{sv}' '' 0
waits_for_us() { call Consent st yes 0; }
wait_until 60 "toy-2 to be agreed to" waits_for_us
on_device one history | grep -q "consent to toy-2: yes, by uid-0" || fail "the history does not say who agreed"
wait_until 60 "toy-2 to be accepted" campaign_is to-2 done
completed() { grep -A4 'Member=Completed' signals.txt | grep -q "INT32 $1;"; }
wait_until 10 "the signal" completed 0
grep -q 'STRING "installing"' signals.txt || fail "nothing was told while it was installed"
says 's "b"' call GetPrimary
call Mark ss good booted | grep -q '^ss "b" "It is accepted already' || fail "good marks"
call Rollback s "by the panel"
wait_until 60 "toy-1 to be back" runs one 1
wait_until 20 "it to rest" is one .state idle
says 's "a"' call GetPrimary
echo "== asked over the bus: a release is installed, its end is signalled, and a person goes back"

kill "$dbus"
wait "$dbus" 2>/dev/null || true
dbus=
is one .state idle || fail "the agent went with the bus"
echo "== the bus may go, the agent stays"
