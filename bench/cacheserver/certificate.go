package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"time"
)

// azureSuffix ends the names of hosts from which the official client reads in parallel ranges.
const azureSuffix = ".blob.core.windows.net"

// newAuthority makes an authority, writes its certificate to file and returns what a TLS server needs to be this host
// and, unless it is empty, the one called blobHost. The authority can vouch for no other.
func newAuthority(file, blobHost string) (*tls.Config, error) {
	names := []string{"localhost"}
	if blobHost != "" {
		names = append(names, blobHost)
	}
	authorityKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	authority := authorityTemplate(names)
	authorityDER, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, hostTemplate(names), authority, &key.PublicKey, authorityKey)
	if err != nil {
		return nil, err
	}
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authorityDER})
	if err := os.WriteFile(file, encoded, 0o644); err != nil {
		return nil, err
	}
	served := tls.Certificate{Certificate: [][]byte{der, authorityDER}, PrivateKey: key}
	return &tls.Config{Certificates: []tls.Certificate{served}, MinVersion: tls.VersionTLS12}, nil
}

func authorityTemplate(names []string) *x509.Certificate {
	template := dated(1, "cacheserver authority")
	template.KeyUsage = x509.KeyUsageCertSign
	template.BasicConstraintsValid, template.IsCA = true, true
	template.PermittedDNSDomainsCritical = true
	template.PermittedDNSDomains = names
	template.PermittedIPRanges = []*net.IPNet{
		{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
		{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
	}
	return template
}

func hostTemplate(names []string) *x509.Certificate {
	template := dated(2, "cacheserver")
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	template.DNSNames = names
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	return template
}

// dated is a certificate that is good for a week.
func dated(number int64, name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + number),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(7 * 24 * time.Hour),
	}
}
