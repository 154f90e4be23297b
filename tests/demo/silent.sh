#!/bin/sh
# A device dies in the middle of its update: bricks do not report, so silence counts against the release
: "${DEVICES:=5}"
fleet_part

chapter "Release 1: the English model"
publish 1
roll_out 1 done
expect_fleet ocr-1
stream_part

chapter "Release 2: a reader loses its power in the middle of it"
publish 2
jq '. + {name: "silence-counts", silence_ms: 8000, waves: [
	{name: "early", count: 3, parallel: 1, soak_ms: 1000}, {name: "rest", share_permille: 1000, parallel: 0, soak_ms: 0}]}' \
	"$ocr/policy.json" >"$W/policy.json"
begin_campaign 2 "$W/policy.json"
wait_until 60 "one reader to commit" sh -c "'$BACKSTAY_BIN/backstay' campaign status to-ocr-2 --json | jq -e '.counts.committed >= 1'"
good=$(recipient 2 '.state == "committed"')
tell "$good went first, alone, and has committed ocr-2"
wait_until 60 "a second reader to be let in" sh -c "'$BACKSTAY_BIN/backstay' campaign status to-ocr-2 --json | jq -e '.counts.admitted >= 1'"
dead=$(recipient 2 '.state == "admitted"')
cut_off "$dead"
tell "$dead was let in next, and lost its power: agent and reader were killed and do not come back"
end_campaign 2 halted
[ "$(recipient 2 ".id == \"$dead\" and (.state == \"silent\" or .state == \"ordered_back\" or .state == \"back\" or .state == \"failed\")")" = "$dead" ] ||
	fail "$dead is not counted as lost"
wait_until 60 "$good to be back on ocr-1" is "$good" .running.release ocr-1
tell "its silence was counted as a failure: the campaign aborted, $good was taken back to ocr-1, nobody else ever had ocr-2"

chapter "The power comes back"
port=$(port_of "$dead")
device_start "$dead"
wait_until 60 "$dead to stand on ocr-1 again" is "$dead" '"\(.running.release) \(.state)"' "ocr-1 idle"
wait_until 60 "$dead to read plates again" reader_says "$port" "$first_text ocr-1"
expect_fleet ocr-1
answered "$BACKSTAY_BIN/backstay" campaign status to-ocr-2 | indent
replay_part 1 2
