# The end of an algorithm: every key of both repositories moves from ECDSA P-256 to P-384, one approver's to ed25519, another's to
# RSA, while a device that knows nothing of it sleeps through all of it. It wakes, follows the roots, and updates.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
trap 'stop_all >/dev/null 2>&1' EXIT
backstay=$BACKSTAY_BIN/backstay
new=ecdsa-sha2-nistp384
key_fleet
wait_until 60 "to-1 to end" campaign_is to-1 done
sleep_two
rotate_root image 4 $new
rotate_targets 4 $new
rotate_root director 4 $new
rotate_party engineering 2 $new
rotate_party safety 2 ed25519
rotate_party compliance 2 rsassa-pss-sha256
for r in builder lab counsel verifier; do
	rotate_witness "$r" 2 $new
done
"$backstay" keys publish "$W/keys/repo" >/dev/null
for r in image-snapshot image-timestamp director-targets director-snapshot director-timestamp director-time director-audit; do
	rotate_online "$r" 2 $new
done
everybody_takes
"$backstay" keys status "$W/keys/repo"
"$backstay" keys status "$W/keys/repo" --json | jq -e '[.roles[].role] | contains(["image-root", "safety", "builder", "lab", "counsel", "verifier", "director-time", "director-audit"])' >/dev/null || fail "status does not list everybody"
"$backstay" keys status "$W/keys/repo" --json | jq -e '[.roles[].schemes] | all(contains("nistp256") | not)' >/dev/null || fail "a P-256 key is left"
release_to 2
runs one 2 || fail "toy-2 does not run"
wake_two 2
grep -q nistp256 "$W/keys/repo/image/1.root.json" || fail "the first root is no longer there to follow from"
release_to 3
wait_until 60 "to-3 to end" campaign_is to-3 done
echo "== every key is of another algorithm; a device that slept through it follows"
