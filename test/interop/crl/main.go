// Reads a revocation list with Go's crypto/x509: `crl CA.pem LIST.der`. Prints its number and the serial numbers on it as JSON, once
// the authority's signature on it holds and it is not out of date.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := read(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(authority, list string) error {
	text, err := os.ReadFile(authority)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	issuer, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	der, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	crl, err := x509.ParseRevocationList(der)
	if err != nil {
		return err
	}
	if err := crl.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	if now := time.Now(); now.Before(crl.ThisUpdate) || now.After(crl.NextUpdate) {
		return fmt.Errorf("it counts from %v to %v", crl.ThisUpdate, crl.NextUpdate)
	}
	serials := []string{}
	for _, entry := range crl.RevokedCertificateEntries {
		serials = append(serials, fmt.Sprintf("%032x", entry.SerialNumber))
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"number": crl.Number.String(), "serials": serials})
}
