package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// worldReadable are the bits by which every user of a machine can get at a
// file.
const worldReadable fs.FileMode = 0o007

// warnExposed warns of secrets that others can read: in files, and on the way
// to the admin listener.
func (s *service) warnExposed() {
	for _, name := range []string{adminTokenFile, secretFile} {
		path := filepath.Join(s.settings.DataDir, name)
		info, err := os.Stat(path)
		if err == nil && runtime.GOOS != "windows" && info.Mode()&worldReadable != 0 {
			s.logger.Warn("every user of this machine can read a secret: chmod 600 the file, and replace the secret",
				"file", path, "mode", info.Mode().String())
		}
	}
	if address, ok := s.admin.socket.Addr().(*net.TCPAddr); ok && s.admin.config.TLS == nil && !address.IP.IsLoopback() && s.settings.has(roleAdmin) {
		s.logger.Warn("the admin listener serves plain HTTP beyond this machine, which shows tokens to the network: "+
			"give it a certificate (LOGOUTD_ADMIN_TLS_CERT, LOGOUTD_ADMIN_TLS_KEY), put a proxy with TLS in front of it, named in LOGOUTD_TRUSTED_PROXIES, or listen on 127.0.0.1 (LOGOUTD_ADMIN_LISTEN)",
			"address", address.String())
	}
}
