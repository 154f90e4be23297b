# Every role gets new keys, one after the other, while a device is asleep; it wakes, follows, and takes the next release.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
key_fleet
wait_until 60 "to-1 to end" campaign_is to-1 done

n=1
rotated() { # rotated WHAT COMMAND...: two sleeps through the command and wakes to the next release
	title=$1
	shift
	sleep_two
	"$@"
	"$backstay" keys publish "$W/keys/repo" >/dev/null
	everybody_takes
	n=$((n + 1))
	release_to "$n"
	wake_two "$n"
	echo "== rotated $title; the sleeper follows"
}

rotated image-root rotate_root image 4
rotated image-targets rotate_targets 4
for p in engineering safety compliance; do
	rotated "$p" rotate_party "$p" 2
done
for r in image-snapshot image-timestamp; do
	rotated "$r" rotate_online "$r" 2
done
rotated director-root rotate_root director 4
for r in director-targets director-snapshot director-timestamp director-time director-audit; do
	rotated "$r" rotate_online "$r" 2
done
"$backstay" keys status "$W/keys/repo"
"$backstay" audit list --last 200 | grep -q 'brought .* of the director repository' || fail "the audit log does not tell of the director's root"
