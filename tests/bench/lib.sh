# What the benchmarks share: medians with min and max, as a markdown row.

# row NAME UNIT FIGURE...: the median of the figures, with the smallest and the largest.
row() {
	name=$1 unit=$2
	shift 2
	printf '%s\n' "$@" | sort -g | awk -v name="$name" -v unit="$unit" '
		{ v[NR] = $1 }
		END {
			m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
			printf "| %s | %.4g (%.4g–%.4g) | %s |\n", name, m, v[1], v[NR], unit
		}'
}

head_rows() {
	printf '\n%s\n\n| what | median (min–max) | unit |\n|---|---|---|\n' "$1"
}
