# Sourced by the two plugins beside it: sets PYTHON to the interpreter that the Pulumi project runs with. The order is
# that of Pulumi's own plugins (https://www.pulumi.com/docs/iac/languages-sdks/python/): the project's `virtualenv`
# option, then the environment of its `toolchain` option, then the active virtual environment, then python3 on PATH.
# The engine gives the options to resource plugins as PULUMI_RUNTIME_…, but tells the language host nothing before it
# has started, so that one reads them from Pulumi.yaml.

root=$PWD
while [ ! -f "$root/Pulumi.yaml" ] && [ "$root" != / ]; do root=$(dirname "$root"); done

# An option of the project's runtime by its name.
option() {
    [ -f "$root/Pulumi.yaml" ] || return 0
    sed -n \
        -e "s/^[^#]*$1:[[:space:]]*[\"']\([^\"']*\)[\"'].*/\1/p" -e t \
        -e "s/^[^#]*$1:[[:space:]]*\([^,}#[:space:]]*\).*/\1/p" "$root/Pulumi.yaml" | head -n 1
}

venv=${PULUMI_RUNTIME_VIRTUALENV:-$(option virtualenv)}
if [ -z "$venv" ]; then
    case ${PULUMI_RUNTIME_TOOLCHAIN:-$(option toolchain)} in
        uv) venv=.venv ;;
        poetry) venv=$(cd "$root" && poetry env info --path) ;;
    esac
fi
case $venv in
    "") venv=${VIRTUAL_ENV:-} ;;
    /*) ;;
    *) venv=$root/$venv ;;
esac

if [ -z "$venv" ]; then
    PYTHON=${PULUMI_PYTHON_CMD:-python3}
elif [ -x "$venv/bin/python" ]; then
    PYTHON=$venv/bin/python
else
    echo "The virtual environment $venv, named by Pulumi.yaml or VIRTUAL_ENV, has no bin/python: create it with 'python3 -m venv $venv' and install the project into it." >&2
    exit 1
fi
