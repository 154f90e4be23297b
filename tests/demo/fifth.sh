#!/bin/sh
# A release that fails on every fifth device, and passes every test: a judge finds it, and the fleet is rolled back
# Also a chapter of the main story.
if [ "$SCENARIO" = fifth ]; then
	: "${DEVICES:=10}"
	fleet_part
	chapter "Release 2: what the fleet runs"
	publish 2
	roll_out 2 done
	stream_part node-3 node-6
fi

chapter "Release 5: less to read, and wrong on every fifth camera; no test knows"
publish 5
tell "what the policy can find is known before: backstay campaign plan"
"$BACKSTAY_BIN/backstay" campaign plan --policy "$ocr/policy-judged.json" --devices "$DEVICES" --minutes 1 | sed -n '/^ONE WAVE/,$p' | indent
begin_campaign 5 "$ocr/policy-judged.json"
tell "campaign to-ocr-5 has begun: two of $DEVICES readers are the control group, they keep what they run and are compared with"
narrate 5
end_campaign 5 halted
bad=$(recipient 5 '.state == "reverted" and (.text | startswith("drift"))')
expect_outcome "$bad" ocr-5 "triggered drift"
[ "$CHAOS" = 1 ] || on_device "$bad" explain | indent
expect_fleet ocr-2
tell "it read well on $(answered "$BACKSTAY_BIN/backstay" campaign status to-ocr-5 --json | jq '[.devices[] | select(.state == "back")] | length') readers, which were all taken back"
