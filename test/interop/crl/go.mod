module vouchsafe.test/crl

go 1.21
