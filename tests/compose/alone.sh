#!/bin/sh
# alone.sh TOP USER [HIDING SEEN]... -- OWN... -- CALL...
# Runs CALL as USER (- for nobody else) without a capability, in a name space of mounts in which SEEN can be seen although HIDING, a
# folder above it, lets nobody look; and nothing may be written but OWN, folders beneath TOP.
set -eu
top=$1
user=$2
shift 2
kept=$top/tmp/seen
mkdir -p "$kept"
mount -t tmpfs tmpfs "$kept"
number=0
hidden=
places=
while [ "$1" != -- ]; do
    number=$((number + 1))
    mkdir "$kept/$number"
    mount --bind "$2" "$kept/$number"
    hidden="$hidden $1"
    places="$places $2"
    shift 2
done
for each in $(printf '%s\n' $hidden | sort -u); do
    mount -t tmpfs -o mode=755 tmpfs "$each"
done
number=0
for each in $places; do
    number=$((number + 1))
    mkdir -p "$each"
    mount --bind "$kept/$number" "$each"
done
mount --bind "$top" "$top"
mount -o remount,bind,ro "$top"
shift
mount -o remount,bind,ro /
while [ "$1" != -- ]; do
    mount --bind "$1" "$1"
    mount -o remount,bind,rw "$1"
    shift
done
shift
if [ "$user" = - ]; then
    exec setpriv --pdeathsig KILL --no-new-privs "$@"
fi
exec setpriv --pdeathsig KILL --no-new-privs --clear-groups --regid "${user#*:}" --reuid "${user%:*}" \
    --inh-caps=-all --bounding-set=-all "$@"
