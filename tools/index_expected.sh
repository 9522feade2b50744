#!/bin/sh
# SPDX-License-Identifier: MIT
# What programs/index.c must print, computed by other means: sort, cksum and awk.
#
#     index_expected.sh WORDFILE LOOKUPS SEED ROUNDS
#
# Prints every line but the last ("working set"), which tells how the program did it.
set -eu
export LC_ALL=C
words=$1 lookups=$2 seed=$3 rounds=$4
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
sort -u "$words" >"$folder/sorted"

echo "index: read $(awk 'END { print NR }' "$words") lines, $(wc -c <"$words") bytes"
echo "index: sorted $(wc -l <"$folder/sorted") words, cksum $(cksum <"$folder/sorted")"

awk -v lookups="$lookups" -v seed="$seed" -v rounds="$rounds" -v hits="$folder/hits" '
NR == FNR { position[$0] = FNR; next }
{
    word[FNR - 1] = $0
    if (!($0 in first)) first[$0] = FNR
    sum += int(16777216 / FNR)
    total[FNR - 1] = sum
    lines = FNR
}
END {
    random = seed
    for (round = 1; round <= rounds; round++) {
        digest = 0
        for (i = 0; i < lookups; i++) {
            random = (random * 16807) % 2147483647
            wanted = random % sum
            low = 0
            high = lines - 1
            while (low < high) {
                middle = int((low + high) / 2)
                if (total[middle] > wanted) high = middle
                else low = middle + 1
            }
            text = word[(low * 48271 + seed) % lines]
            count[text]++
            digest = (digest * 31 + first[text] * 7 + position[text]) % 1000000007
        }
        printf "index: round %d, %d lookups, digest %.0f\n", round, lookups, digest
    }
    for (text in count) print count[text], text >hits
}' "$folder/sorted" "$words"

sort -k1,1nr -k2 "$folder/hits" | head -n 10 | awk '{ print "index: top " NR ": " $0 }'
