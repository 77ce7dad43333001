#!/bin/bash
# Makes, when the image is built, an authority of the box's own (ca.crt), a certificate of it (names.crt), and the tree of
# Docker's package repository (www/download.docker.com), signed by a key of the box's own.
set -euo pipefail

names=(pypi.org files.pythonhosted.org download.docker.com deb.nodesource.com registry.npmjs.org registry-1.docker.io)
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc)
openssl req -x509 "${curve[@]}" -days 3650 -subj '/CN=Network in a box' -addext keyUsage=critical,keyCertSign \
    -keyout ca.key -out ca.crt
openssl req "${curve[@]}" -subj /CN=box -keyout names.key -out names.csr
openssl x509 -req -in names.csr -CA ca.crt -CAkey ca.key -days 3650 -out names.crt -extfile <(
    printf '%s\n' basicConstraints=CA:FALSE subjectKeyIdentifier=hash authorityKeyIdentifier=keyid
    echo "subjectAltName=$(printf 'DNS:%s,' "${names[@]}" | sed 's/,$//')"
)

# Its client is Debian's, under Docker's name for it.
apt-get update
apt-get download docker-cli
dpkg-deb --raw-extract docker-cli_*.deb client
cat >client/DEBIAN/control <<CONTROL
Package: docker-ce-cli
Version: 5:$(dpkg-deb --field docker-cli_*.deb Version)
Architecture: $(dpkg --print-architecture)
Maintainer: Network in a box <box@localhost>
Depends: $(dpkg-deb --field docker-cli_*.deb Depends)
Description: Docker's client, as Debian has it
CONTROL
architecture=$(dpkg --print-architecture)
folder=dists/trixie/stable/binary-$architecture
mkdir -p "www/download.docker.com/linux/debian/$folder"
cd www/download.docker.com/linux/debian
dpkg-deb -Zgzip --build /box/client "$folder/docker-ce-cli.deb"
apt-ftparchive packages dists/trixie >"$folder/Packages"
apt-ftparchive -o APT::FTPArchive::Release::Suite=trixie -o APT::FTPArchive::Release::Codename=trixie \
    -o APT::FTPArchive::Release::Components=stable -o "APT::FTPArchive::Release::Architectures=$architecture" \
    release dists/trixie >/box/Release
mv /box/Release dists/trixie/
gpg --batch --passphrase '' --quick-generate-key 'Network in a box <box@localhost>' rsa3072 sign never
gpg --batch --clearsign --output dists/trixie/InRelease dists/trixie/Release
gpg --armor --export >gpg
