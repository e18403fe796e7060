#!/bin/sh
# run.sh [--stdout LINE | --stderr LINE | --progress NUMBER | --sleep SECONDS | --exit-code N]...
# Does what it is told, in the order given. Every option has a value, so a line may look like an option.
code=0
while [ $# -ge 2 ]; do
    case $1 in
        --stdout) printf '%s\n' "$2" ;;
        --stderr) printf '%s\n' "$2" >&2 ;;
        --progress) printf 'PROGRESS:%s\n' "$2" ;;
        --sleep) sleep "$2" ;;
        --exit-code) code=$2 ;;
    esac
    shift 2
done
exit "$code"
