# The command line by itself: help, usage errors with their exit status, keys that are never replaced, deterministic packing.
set -eu
. "$BACKSTAY_SRC/tests/system/lib.sh"
backstay=$BACKSTAY_BIN/backstay

exits 0 "$backstay" --help
grep -q 'campaign rollback' out.txt || fail "--help does not list the commands"
for n in $(sed -n 's/^| `.*| \([0-9]*\) |$/\1/p' "$BACKSTAY_SRC/docs/reference/errors.md" | sort -u); do
	grep -qE "(^|[:;] )$n [a-z]" out.txt || fail "--help does not tell exit status $n"
done
exits 64 "$backstay"
exits 64 "$backstay" no-such-thing
exits 64 "$backstay" keys init
exits 0 "$backstay" campaign create --help
grep -q 'Example' out.txt || fail "--help of a command has no example"
port=$("$BACKSTAY_BIN/backstay-server" --config /dev/null --dump-config | sed -n 's/^port = //p')
exits 0 "$backstay" device list --help
grep -q "http://127.0.0.1:$port\$" out.txt || fail "by default the server is looked for where it does not listen"
exits 64 "$backstay" campaign create x
exits 75 "$backstay" device list --server http://127.0.0.1:9
grep -q 'is the server running' err.txt || fail "no hint what to do next"
exits 75 "$backstay" status --socket "$W/nobody.sock"
exits 66 "$backstay" release sign "$W/nowhere" --keys "$W/keys" --hardware x --counter 1
exits 1 "$backstay" tuf
exits 1 "$backstay" tuf --no-such-option refresh
exits 1 "$backstay" tuf refresh
exits 1 "$backstay" tuf --metadata-dir "$W/nowhere" --metadata-url http://127.0.0.1:9/ refresh
echo "== help teaches, mistakes are told with an exit status and a hint"

exits 0 "$backstay" keys init "$W/keys"
before=$(cat "$W"/keys/offline/*.pem "$W"/keys/online/*.pem | sha256sum)
exits 73 "$backstay" keys init "$W/keys"
[ "$before" = "$(cat "$W"/keys/offline/*.pem "$W"/keys/online/*.pem | sha256sum)" ] || fail "keys were replaced"
[ -z "$(find "$W/keys" -name '*.pem' -perm /077)" ] || fail "others may read a private key"
exits 0 "$backstay" keys show "$W/keys" --json
jq -e '(.keys | length) > 10' out.txt >/dev/null || fail "keys show"
echo "== keys are made once, for their owner only"

exits 64 "$backstay" campaign plan --devices 5
exits 75 "$backstay" campaign plan --policy "$BACKSTAY_SRC/manifests/vectors/good/policy.careful.json" --server http://127.0.0.1:9
exits 0 "$backstay" campaign plan --policy "$BACKSTAY_SRC/manifests/vectors/good/policy.careful.json" --devices 50 --runs 20 --json
cp out.txt plan.json
jq -e '.rates[0].done == 20 and .rates[-1].aborted == 20 and .rates[-1].had_it_p90 <= 6' plan.json >/dev/null ||
	fail "a plan does not say what a policy finds"
exits 0 "$backstay" campaign plan --policy "$BACKSTAY_SRC/manifests/vectors/good/policy.careful.json" --devices 50 --runs 20 --json
cmp -s out.txt plan.json || fail "the same seed, another plan"
compared=$BACKSTAY_SRC/manifests/vectors/good/policy.compared.json
exits 0 "$backstay" campaign plan --policy "$compared" --devices 300 --runs 20 --json
jq -e '.control == 60 and .rates[0].aborted <= 1 and ([.one_wave[] | select(.devices == 100 and .fail_ppm == 500000) | .aborted] | min) >= 15' \
	out.txt >/dev/null || fail "a plan knows no control group"
exits 0 "$backstay" campaign plan --policy "$compared" --devices 300 --runs 10
grep -q '^The last 60 devices are the control group' out.txt || fail "a plan does not say who is compared with"
grep -q '^  5 devices: .* is mostly missed; a good one cannot be shown to be good.$' out.txt || fail "a plan does not say what it misses"

scenarios=$BACKSTAY_SRC/manifests/scenarios
exits 64 "$backstay" campaign simulate --devices 5
exits 75 "$backstay" campaign simulate --scenario "$scenarios/good.json" --server http://127.0.0.1:9
exits 65 "$backstay" campaign simulate --scenario "$scenarios/../gates/ocr-release.json" --devices 5
exits 0 "$backstay" campaign simulate --scenario "$scenarios/silent-bricks.json" --devices 300 --runs 3 --seed 2 --json
cp out.txt simulated.json
jq -e '.ends.aborted == 3 and .false_aborts == 0 and all(.runs[]; .bad_committed == 0 and .silent > 0 and .left == 0)' \
	simulated.json >/dev/null || fail "a release that bricks devices is not found"
exits 0 "$backstay" campaign simulate --scenario "$scenarios/silent-bricks.json" --devices 300 --runs 3 --seed 2 --json
cmp -s out.txt simulated.json || fail "the same seed, another course"
echo "== a policy is tried before it is used, the same way each time"

toy 1
exits 0 "$backstay" release create "$W/toy/1/release.json" --out "$W/a"
touch -d 2001-01-01 "$W/toy/1/code/version"
exits 0 "$backstay" release create "$W/toy/1/release.json" --out "$W/b"
diff -r "$W/a" "$W/b" || fail "packing is not deterministic"
exits 0 "$backstay" release show "$W/a"
exits 0 "$backstay" release sign "$W/a" --keys "$W/keys" --hardware edge-x86 --counter 1
exits 0 "$backstay" release sign "$W/a" --keys "$W/keys" --hardware edge-x86 --counter 1
grep -q 'had signed' out.txt || fail "signing twice changes something"
ln -s /etc/passwd "$W/toy/1/code/out"
exits 77 "$backstay" release create "$W/toy/1/release.json" --out "$W/c"
grep -q out err.txt || fail "the refusal does not name the link"
echo "== packing gives the same bytes twice, and refuses links that leave"

rm "$W/toy/1/code/out"
watched() { # watched TRIGGER: a template with one more trigger, soaked for a minute
	jq '.soak_ms = 60000 | .triggers += ['"$1"']' toy/1/release.json >toy/1/watched.json
}
watched '{"type": "latency", "metric": "l", "comparator": "champion"}'
exits 65 "$backstay" release create "$W/toy/1/watched.json" --out "$W/d"
grep -q 'triggers\[4\]: latency: no champion runs while a release soaks. State "comparator": "baseline"' err.txt ||
	fail "the author is not told what to compare with: $(cat err.txt)"
[ ! -e d/toy-1.json ] || fail "it was packed all the same"
cp a/toy-1.json toy/1/packed.json
jq -c '.triggers += [{"type": "latency", "metric": "l", "comparator": "champion"}]' toy/1/packed.json >a/toy-1.json
exits 65 "$backstay" release sign "$W/a" --keys "$W/keys" --hardware edge-x86 --counter 2
exits 65 "$backstay" release propose "$W/a" --keys "$W/keys" --hardware edge-x86 --counter 2
watched '{"type": "connectivity"}'
exits 0 "$backstay" release create "$W/toy/1/watched.json" --out "$W/d"
grep -q 'warning: takes nothing back: connectivity: 30 windows of 60 s must be bad, and the release soaks for 60 s' err.txt ||
	fail "the author is not told that it comes too late: $(cat err.txt)"
exits 0 "$backstay" release show "$W/d"
grep -q '^Takes nothing back: connectivity' out.txt || fail "show does not tell of it"
echo "== a trigger that takes nothing back is refused, or warned of, where the release is made"
