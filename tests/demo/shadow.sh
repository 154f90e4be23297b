#!/bin/sh
# A challenger reads beside the champion: who agrees is promoted; who reads otherwise, or too slowly, never serves
: "${DEVICES:=3}"
fleet_part

# beside N OF RATIO: ocr-N is ocr-OF's model and configuration, with no golden set to stop it: it is compared with what runs, and
# may take RATIO thousandths of the champion's median time.
beside() {
	sed "s/^release = .*/release = ocr-$1/" "$ocr/config-$2/serve.conf" >"$W/config-$1.conf"
	mkdir -p "$W/releases/beside-$1" && mv "$W/config-$1.conf" "$W/releases/beside-$1/serve.conf"
	jq --arg id "ocr-$1" --arg config "beside-$1" --argjson ratio "$3" '
		.id = $id | .version = $id | .activation = "restart" | .baseline_wait_ms = 0 |
		.notes = "compared with what runs before it may take its place" |
		(.components[] | select(.name == "config") | .source) = $config |
		.smoke = [.smoke[] | select(.name == "serves") | .expect_body = $id] |
		if $ratio > 0 then . + {strategy: "shadow", shadow: {
			argv: ["serve/bin/ocr-serve"], path: "/infer", ready: "/healthz", answer: "text", min_pairs: 50,
			agreement_permille: 900, errors_permille: 100, latency_permille: 500, latency_ratio_milli: $ratio,
			deadline_ms: 180000}}
		else . end' "$ocr/release-$2.json" >"$W/releases/release-$1.json.new"
	mv "$W/releases/release-$1.json.new" "$W/releases/release-$1.json"
}
pairs_of() {
	[ "$(ask "$1" '.shadow.pairs // 0')" -ge "$2" ]
}
# compared N: the first device of to-ocr-N, seen in the middle of it.
compared() {
	begin_campaign "$1"
	wait_until 60 "somebody to be let in" somebody_has "to-ocr-$1"
	first=$(recipient "$1" '.state == "admitted"')
	before=$(champion_of "$first")
	wait_until 120 "$first to have compared some plates" pairs_of "$first" 10
	on_device "$first" explain | grep beside | indent
	tell "$first reads with process $before; beside it process $(challenger_of "$first"), from the other slot, reads the same plates, and nobody hears its answers"
}
# refused N CAUSE: it was, and the champion is the process that it was.
refused() {
	end_campaign "$1" halted
	expect_outcome "$first" "ocr-$1" "shadow_failed null"
	ask "$first" .last.reason | grep -q "^$2" || fail "refused for: $(ask "$first" .last.reason)"
	[ "$(champion_of "$first")" = "$before" ] || fail "the champion of $first was $before, and is $(champion_of "$first")"
	on_device "$first" explain | grep "was given up" | indent
	on_device "$first" explain --json | jq -r '.saw.dossier.shadow.examples[:3][] | "read \(.champion) as \(.challenger)"' | indent
	tell "$first refused it ($2), and will not take it again; its reader is still process $before"
	expect_fleet ocr-2
}

for n in "1 2 0" "2 2 4000" "3 3 20000" "4 4 2000"; do
	# shellcheck disable=SC2086
	beside $n
done

chapter "Release 1: the English model; there is nothing yet that it could be compared with"
publish 1
roll_out 1 done
expect_fleet ocr-1
stream_part

chapter "Release 2: served as before, and compared first"
publish 2
compared 2
end_campaign 2 done
grep -h 'beside ocr-1: promoted' "$W"/dev/*/history.log | sed 's/^[^ ]* //' | indent
expect_fleet ocr-2
tell "every reader compared for itself, promoted it, and soaked it as usual"

chapter "Release 3: the Greek model, and no golden set that would stop it"
publish 3
compared 3
refused 3 disagrees

chapter "Release 4: English and Latin together: reads the same, and takes a multiple of the time"
publish 4
compared 4
refused 4 slow

let_go load
tail -1 "$W/log/load.log" | indent
replay_part 1 2 3 4
