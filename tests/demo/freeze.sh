#!/bin/sh
# A freeze keeps everybody out until a person, with a reason, breaks the glass; the audit log says who
: "${DEVICES:=5}"
fleet_part

chapter "Release 1: the English model"
publish 1
roll_out 1 done
expect_fleet ocr-1
stream_part

chapter "Release 2, in the rush hour: a policy that admits nobody just now"
publish 2
at() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
now=$(date +%s)
jq --arg from "$(at $((now - 60)))" --arg until "$(at $((now + 3600)))" \
	'. + {name: "not-in-the-rush", freeze: [{name: "rush-hour", from: $from, until: $until}]}' "$ocr/policy.json" >"$W/policy.json"
begin_campaign 2 "$W/policy.json"
for n in $(seq "$DEVICES"); do
	asked=$(ask "node-$n" .server.answered_at)
	on_device "node-$n" check >/dev/null
	wait_until 30 "node-$n to have asked" is "node-$n" ".server.answered_at != \"$asked\"" true
done
answered "$BACKSTAY_BIN/backstay" campaign status to-ocr-2 | indent
somebody_has to-ocr-2 && fail "somebody was let in during a freeze"
tell "every reader has asked; nobody was let in"
"$BACKSTAY_BIN/backstay" campaign break-glass to-ocr-2 2>&1 | indent
somebody_has to-ocr-2 && fail "the glass broke without a reason"
tell "without a reason the glass does not break"
"$BACKSTAY_BIN/backstay" campaign break-glass to-ocr-2 --reason "closes CVE-2026-1, cannot wait for the evening" | indent
started=$(date +%s%N)
wait_until 60 "somebody to be let in" somebody_has to-ocr-2
tell "the glass is broken: the first device was let in within $((($(date +%s%N) - started) / 1000000)) ms"
end_campaign 2 done
expect_fleet ocr-2
"$BACKSTAY_BIN/backstay" audit export "$W/audit.jsonl" >/dev/null
grep -q 'cannot wait for the evening' "$W/audit.jsonl" || fail "the audit log does not know the reason"
tell "audit log, $("$BACKSTAY_BIN/backstay" audit verify "$W/audit.jsonl" --repo "$W/keys/repo/director"); the reason stands in it:"
jq -r '.row? | select(.text? // "" | contains("CVE-2026-1")) | "\(.who): \(.text)"' "$W/audit.jsonl" | indent
replay_part 1 2
