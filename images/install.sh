#!/bin/sh
# Installs an image's dependencies into /opt/venv: what the three Dockerfiles have in common.
#
# Settings of pip that only this build may see (an index, a certificate bundle) come as build
# secrets: they are mounted while this runs and are in no layer and in no history.
set -eu

requirements=/opt/trainyard/requirements.txt
tensorflow=${TENSORFLOW:-tensorflow-cpu}
if [ -s /run/secrets/pip.conf ]; then
    export PIP_CONFIG_FILE=/run/secrets/pip.conf
fi

# pip stays outside the environment that is shipped.
python3 -m venv /tmp/installer
python3 -m venv --without-pip /opt/venv
sed "s/^tensorflow-cpu==/${tensorflow}==/" "$requirements" > /tmp/requirements.txt
/tmp/installer/bin/pip --python /opt/venv/bin/python install \
    --no-cache-dir --no-compile --disable-pip-version-check --progress-bar off \
    --only-binary :all: -r /tmp/requirements.txt

echo "Removing what no pod needs"
site=$(/opt/venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# Headers that custom C++ operations are compiled against, a C++ parser that TensorFlow declares
# and never imports, and tests with their data.
rm -rf "$site/tensorflow/include" "$site/clang/native"
for package in scipy sklearn; do
    if [ -d "$site/$package" ]; then
        find "$site/$package" -type d -name tests -prune -exec rm -rf {} +
    fi
done
echo /opt/trainyard/lib > "$site/trainyard.pth"
echo "Compiling what was installed"
# The root file system is read-only in a pod: what is not compiled here is compiled by every
# start again. The hash mode does not depend on times that a registry may round.
/opt/venv/bin/python -m compileall -q -j 0 --invalidation-mode unchecked-hash "$site"

# Some libraries ask who the user is, and fail for a number without a name.
echo 'trainyard:x:65532:65532::/tmp:/usr/sbin/nologin' >> /etc/passwd
echo 'trainyard:x:65532:' >> /etc/group
rm -rf /tmp/installer /tmp/requirements.txt
echo "Saving the layer"
