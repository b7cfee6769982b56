# shellcheck shell=bash disable=SC2154
# towns.bash - for the scripts that train the built-in weights: drawn towns in one list. Needs $program and $folder.

# Draw a town unless it is there.
town() { # NUMBER PAIRS OFFSET TEST
    [ -e "$folder/towns/$1/pairs.csv" ] ||
        "$program" world --out "$folder/towns/$1" --force --pairs "$2" --seed "$1" --offset "$3" --test "$4"
}

# The first COUNT towns in one list, each a degree further north, so that they are not neighbours.
list() { # COUNT
    head -1 "$folder/towns/1/pairs.csv"
    for n in $(seq "$1"); do
        tail -n +2 "$folder/towns/$n/pairs.csv" | awk -F, -v OFS=, -v n="$n" '{
            $1 = n "-" $1; $2 = n "/" $2; $3 = n "/" $3
            if (n > 1) { $4 = sprintf("%.8f", $4 + n - 1); $8 = sprintf("%.8f", $8 + n - 1) }
            print }'
    done
}
