package main

import (
	"crypto/x509"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTheAuthorityVouchesForThisHostAndTheBlobHostOnly(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ca.pem")
	served, err := newAuthority(file, "bench"+azureSuffix)
	if err != nil {
		t.Fatal(err)
	}
	read, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(read)
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(read) || block == nil || block.Type != "CERTIFICATE" {
		t.Fatalf("no certificate: %q", read)
	}
	shown, err := x509.ParseCertificate(served.Certificates[0].Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, good := range map[string]bool{"127.0.0.1": true, "localhost": true, "bench" + azureSuffix: true, "other" + azureSuffix: false} {
		_, err := shown.Verify(x509.VerifyOptions{DNSName: name, Roots: trusted})
		if (err == nil) != good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignedURLsNameTheHostThatIsAskedFor(t *testing.T) {
	address := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4321}
	for name, wanted := range map[string]string{"": "https://127.0.0.1:4321", "b.example": "https://b.example:4321"} {
		if origin := blobOrigin(address, name); origin != wanted {
			t.Errorf("%q: %s", name, origin)
		}
	}
}

func TestAMeterLetsBytesPassAtItsRate(t *testing.T) {
	took := newMeter(1000).admit(1000)
	if took > time.Second || took < time.Second-lag {
		t.Errorf("1000 bytes at 1000 a second take %v", took)
	}
	var none *meter
	if none.admit(1<<40) != 0 {
		t.Error("no meter is no limit")
	}
}
