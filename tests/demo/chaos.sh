#!/bin/sh
# Whatever is running is killed, as long as the story lasts. Sourced by main.sh.

# The readers themselves; a smoke test that is killed has failed, and would rightly stop its release.
reader_pids() {
	for pid in $(workload_pids); do
		tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null | grep -q 'ocr-serve --port ' && echo "$pid"
	done
}
# Two ends within 30 s are a crash loop by the releases' own rule, and would rightly be taken back: a reader that was killed
# is left alone for longer than that.
may_be_killed() {
	owner=$(readlink "/proc/$1/cwd" | sed -n "s|^$W/dev/\([^/]*\)/.*|\1|p")
	[ -n "$owner" ] || return 1
	stamp=$W/run/killed-$owner
	[ -z "$(find "$stamp" -newermt '-40 seconds' 2>/dev/null)" ] && : >"$stamp"
}
chaos() {
	seed=${SEED:-1}
	while [ -e "$W/run/chaos" ]; do
		seed=$(((seed * 1103515245 + 12345) % 2147483648))
		sleep "$((seed / 65536 % 3 + 1))"
		case $((seed / 4096 % 5)) in
		0)
			name=server
			[ $((seed / 131072 % 3)) = 0 ] && name=broker
			pid=$(cat "$W/run/$name.pid")
			;;
		1 | 2) name=node-$((seed / 256 % DEVICES + 1)) && pid=$(cat "$W/run/$name.pid") ;;
		*)
			pids=$(reader_pids)
			[ -n "$pids" ] || continue
			name=workload pid=$(echo "$pids" | awk -v k="$((seed / 256))" '{ p[NR] = $1 } END { print p[k % NR + 1] }')
			may_be_killed "$pid" || continue
			;;
		esac
		kill -KILL "$pid" 2>/dev/null && echo "$name" >>"$W/log/chaos.log"
	done
}

