#!/bin/sh
# Two kinds of drift: a release that changes the scores goes back; a world that changes them calls for training, and nothing goes back
: "${DEVICES:=5}"
fleet_part

chapter "Release 2: what the fleet runs"
publish 2
roll_out 2 done
expect_fleet ocr-2
stream_part node-3

chapter "Release 5 changes the scores on one camera"
publish 5
roll_out 5 halted
bad=$(recipient 5 '.state == "reverted" and (.text | startswith("drift"))')
expect_outcome "$bad" ocr-5 "triggered drift"
on_device "$bad" explain | indent
expect_fleet ocr-2
tell "the plates were the same, the scores were not: $bad took itself back, against its own baseline"

chapter "Release 6: it brings along how sure the model was of its answers in training"
publish 6
roll_out 6 done
expect_fleet ocr-6

chapter "Night falls: the plates change, for every reader"
"$BACKSTAY_BIN/ocr-plates" --out "$W/night" --count 40 --seed 77 --noise 60 --blur 1.2 >>"$W/log/mk-releases.log"
let_go load
let_go load-small
# shellcheck disable=SC2046,SC2086
keep night "$BACKSTAY_BIN/ocr-load" $(targets $ports) --rate "$RATE" --plates "$W/night"
drifted() { "$BACKSTAY_BIN/backstay" drift list --json | jq -e '.drifts | length > 0' >/dev/null; }
wait_until "${PATIENCE:-240}" "readers to say that their scores are no longer those of the training" drifted
"$BACKSTAY_BIN/backstay" drift list | indent
expect_fleet ocr-6
for n in $(seq "$DEVICES"); do
	is "node-$n" '"\(.running.release) \(.state)"' "ocr-6 idle" || fail "node-$n went back for a drift against training data"
done
tell "no release is to blame and none goes back: it is an event, with its evidence, for whoever trains the next model"
measured() { "$BACKSTAY_BIN/backstay" telemetry release ocr-6 | grep infer_confidence | grep -qv ' 0$'; }
wait_until 180 "the closed minutes of ocr-6 to arrive" measured
"$BACKSTAY_BIN/backstay" telemetry release ocr-6 | indent
tell "what every reader measured is summed at the server, by release"
