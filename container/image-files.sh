#!/bin/sh
# image-files.sh BINARY FOLDER: puts the files of the image into a folder: the binary, the libraries that it links, and
# the empty folder of the data.
set -eu
mkdir -p "$2/data"
cp "$1" "$2/scim-worker"
for library in $(ldd "$1" | grep -o '/[^ ]*'); do
  mkdir -p "$2$(dirname "$library")"
  cp -L "$library" "$2$library"
done
