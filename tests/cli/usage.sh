#!/bin/bash
# Help, version, wrong calls, and output that cannot be written.
. tests/cli/common.bash

expect 0 --version
[[ $(cat "$tmp/out") =~ ^geoviewmatch\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
expect 0 --help
says out "usage: geoviewmatch COMMAND" locate serve index embed init info bench
lines err 0
expect 2
refused_out=$(cat "$tmp/err")
[ "$refused_out" = "geoviewmatch: no command given; see \`geoviewmatch --help\`" ]

expect 2 fly
refused "geoviewmatch: unknown command 'fly'; see \`geoviewmatch --help\`"
expect 2 --fly
refused "unknown option '--fly'"
expect 2 $'fl\ny\033'
refused "unknown command 'fl?y?'"

for command in demo locate serve index embed heatmap init info bench; do
    expect 0 $command --help
    says out "usage: geoviewmatch $command" --help
    lines err 0
    expect 2 $command --fly
    refused "geoviewmatch $command: unknown option '--fly'; see \`geoviewmatch $command --help\`"
done

for command in locate serve index embed heatmap eval train bench check world init info; do
    expect 2 $command -z
    refused "unknown option '-z'"
    expect 2 $command --threads
    refused "option '--threads' needs a value"
    expect 2 $command --quiet=yes
    refused "option '--quiet=yes' takes no value"
    for n in 0 1025 2x -1 ''; do
        expect 2 $command --threads "$n"
        refused "--threads takes a whole number from 1 to 1024, got '$n'"
    done
    [ $command = bench ] && continue # it needs no argument
    expect 2 $command
    lines out 0
    lines err 1
done
for command in locate serve index embed heatmap eval train bench; do
    GVM_CUDA_MODULE=/nowhere expect 1 $command --device cuda
    refused "is not installed beside the program; build it on a machine with nvcc (nvidia-cuda-toolkit in Debian non-free), or leave out --device cuda"
    GVM_CUDA_MODULE=$0 expect 1 $command --device cuda
    refused "the CUDA module cannot be loaded"
    expect 2 $command --precision half
    refused "--precision takes bf16, tf32 or fp32, got 'half'"
    expect 2 $command --device abacus
    refused "--device takes cpu or cuda, got 'abacus'"
done
for command in check world init info; do # these compute nothing on a GPU
    expect 2 $command --device cuda
    refused "unknown option '--device'"
    expect 0 $command --help
    fails grep -q -e --precision "$tmp/out"
done

# Suggestions for mistyped words; none if nothing is similar, or if two are.
meant() { # meant WORD COMMAND...
    local word=$1
    shift
    expect 2 "$@"
    refused "(did you mean '$word'?)" "see \`geoviewmatch"
}
meant locate locat
meant locate loacte
meant locate loc
meant train trian
meant eval evl
meant heatmap heat-map
meant --version --versoin
meant --view embed --veiw street
meant --weights locate --weigths w
meant --side-by-side heatmap --sidebyside a
meant --preset init --perset nano
meant aerial embed --view areial
meant paper init --preset papr --out "$tmp/f"
meant geojson locate --format geojsn
meant cuda locate --device cude
for wrong in fly xyzzy i '' "locate --heading nrth" "embed --view up" "train --zzz 3" "embed --batch 999"; do
    expect 2 $wrong
    ! grep -q 'did you mean' "$tmp/err" || { cat "$tmp/err"; exit 1; }
done
expect 2 train --s 4
refused "option '--s' is ambiguous: --steps, --save-minutes and others"
expect 2 heatmap --s 4
refused "option '--s' is ambiguous: --side-by-side, --stage"

# Each command's help has examples.
for command in $(expect 0 --help && awk '/^  [a-z]/ {print $1}' "$tmp/out"); do
    expect 0 $command --help
    sed -n '/^For example:$/,$p' "$tmp/out" | grep -q "^  geoviewmatch $command"
    cp "$tmp/out" "$tmp/help"
    expect 0 help $command
    cmp "$tmp/out" "$tmp/help"
    fails grep -E '.{121}' "$tmp/help"
done

# A command's help has each option of its table. The manual page's part on the commands is as `make man` writes it, and
# its prose names no option that does not exist.
rows() { sed -nE 's/^ *\{"([a-z0-9-]+)", OPTION_.*/\1/p' "$@"; }
options() { grep -oE -e '--[a-z][a-z0-9-]+' "$@" | sort -u; }
expect 0 --help
for command in $(awk '/^  [a-z]/ {print $1}' "$tmp/out"); do
    tables="program/cli/cmd_$command.c"
    [ $command != train ] || tables="program/cli/train_options.c src/train/run_options.c"
    expect 0 $command --help
    options "$tmp/out" >> "$tmp/all"
    # shellcheck disable=SC2086 # files
    rows $tables > "$tmp/rows"
    [ -s "$tmp/rows" ]
    for option in $(cat "$tmp/rows") threads quiet help; do
        grep -q "\"$option\", OPTION_.*NULL,.*saved = true" $tables && continue # not on the command line
        grep -qE -e "^  --$option( |$)" "$tmp/out" || { echo "$command --help lacks --$option"; exit 1; }
    done
done
expect 0 help --man
diff "$tmp/out" <(sed -n '/^\.\\" From here/,/^\.\\" To here/p' docs/geoviewmatch.1 | sed '1d;$d') ||
    { echo "docs/geoviewmatch.1 is not of this program: make man"; exit 1; }
for option in $(sed 's/\\-/-/g' docs/geoviewmatch.1 | options); do
    grep -qx -e "$option" "$tmp/all" || { echo "no command has the manual page's $option"; exit 1; }
done

w=nothing.safetensors
expect 2 embed --weights $w --view street --out "$tmp/f" # no picture
refused "no picture given"
expect 2 embed --weights $w --out "$tmp/f" a.png
refused "--view is required"
expect 2 embed --weights $w --view sideways
refused "--view takes street or aerial, got 'sideways'"
expect 2 embed --weights $w --view aerial --heading 3 --out "$tmp/f" a.png
refused "--heading requires --view street"
expect 2 embed --weights $w --view aerial --out "$tmp/a.JPG" b.jpg
refused "has the extension of a picture"
expect 2 embed --weights $w --view aerial --batch 257
refused "--batch takes"
expect 2 locate --weights $w a.jpg
refused "exactly one of --index and --tiles is required"
expect 2 locate --weights $w --tiles t.csv
refused "no photo given"
for top in 0 1001 five; do
    expect 2 locate --top $top
    refused "--top takes a whole number from 1 to 1000, got '$top'"
done
for heading in 361 north nan ''; do
    expect 2 locate --heading "$heading"
    refused "--heading takes degrees"
done
expect 2 locate --format xml
refused "--format takes table, lines, json, geojson or csv, got 'xml'"
expect 2 info
refused "no file given"
expect 2 info a b
refused "unexpected argument 'b'"
expect 2 init --preset nano
refused "--out is required"
expect 2 init --preset nano --config c.json --out "$tmp/f"
refused "--preset and --config cannot be combined"
expect 2 init --preset giant --out "$tmp/f"
refused "--preset takes paper, nano" "frgeo-nano, statewide or statewide-nano, got 'giant'"
for stages in 5 0 4,4 '' '4,' 43 four; do
    expect 2 init --preset nano --stages "$stages" --out "$tmp/f"
    refused "--stages takes"
done
expect 2 init --preset nano --seed -3 --out "$tmp/f"
refused "--seed takes"
[ ! -e "$tmp/f" ]

# A full disk and a closed pipe are failures.
status=0
"$GEOVIEWMATCH" --help > /dev/full 2> "$tmp/err" || status=$?
[ $status = 1 ]
says err "cannot write to standard output: No space left on device"
status=0
"$GEOVIEWMATCH" locate --help 2> "$tmp/err" >&- || status=$?
[ $status = 1 ]
says err "cannot write to standard output"
exec 3> >(:) # the reader has ended
wait $!
status=0
"$GEOVIEWMATCH" --help >&3 2> "$tmp/err" || status=$?
exec 3>&-
[ $status = 1 ]
says err "cannot write to standard output: Broken pipe"

# The manual page and the user guide name every command.
expect 0 --help
for command in $(awk '/^  [a-z]/ {print $1}' "$tmp/out"); do
    grep -qx "\.SS $command" docs/geoviewmatch.1 && grep -q "^| \`$command\` |" docs/guide.md || { echo "no $command"; exit 1; }
done
