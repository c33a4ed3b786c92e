package main

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// worldReadable are the permission bits of users other than owner and group.
const worldReadable fs.FileMode = 0o007

// warnExposed warns about secrets that others can read: in files, and on the
// network to the admin listener.
func (s *service) warnExposed() {
	for _, name := range []string{adminTokenFile, secretFile} {
		path := filepath.Join(s.settings.DataDir, name)
		info, err := os.Stat(path)
		if err == nil && runtime.GOOS != "windows" && info.Mode()&worldReadable != 0 {
			s.logger.Warn("every user of this machine can read a secret: run chmod 600 on the file and replace the secret",
				"file", path, "mode", info.Mode().String())
		}
	}
	if address, ok := s.admin.socket.Addr().(*net.TCPAddr); ok && s.admin.config.TLS == nil && !address.IP.IsLoopback() && s.settings.has(roleAdmin) {
		s.logger.Warn("the admin listener serves plain HTTP to other machines, which exposes tokens on the network: "+
			"set a certificate (LOGOUTD_ADMIN_TLS_CERT, LOGOUTD_ADMIN_TLS_KEY), put a TLS proxy in front of it and name the proxy in LOGOUTD_TRUSTED_PROXIES, or listen on 127.0.0.1 (LOGOUTD_ADMIN_LISTEN)",
			"address", address.String())
	}
}
