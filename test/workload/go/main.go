// A workload of go-spiffe: `client fetch` fetches, does mutual TLS with itself, waits for a rotation, and fetches and
// validates a JWT-SVID; `client ask` asks once. One JSON line for each thing that came to pass.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/jwtbundle"
	"github.com/spiffe/go-spiffe/v2/spiffetls/tlsconfig"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
	"github.com/spiffe/go-spiffe/v2/workloadapi"
	"google.golang.org/grpc/status"
)

func say(line map[string]any) {
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

func must(err error) {
	if err != nil {
		say(map[string]any{"code": int(status.Code(err)), "details": err.Error()})
		os.Exit(1)
	}
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	client, err := workloadapi.New(ctx)
	must(err)
	if os.Args[1] == "ask" {
		svid, err := client.FetchX509SVID(ctx)
		must(err)
		say(map[string]any{"spiffeId": svid.ID.String()})
		return
	}

	source, err := workloadapi.NewX509Source(ctx, workloadapi.WithClient(client))
	must(err)
	first, err := source.GetX509SVID()
	must(err)
	say(map[string]any{"spiffeId": first.ID.String()})
	must(mutualTLS(source, first))
	say(map[string]any{"mtls": true})

	select {
	case <-source.Updated():
	case <-ctx.Done():
		must(ctx.Err())
	}
	second, err := source.GetX509SVID()
	must(err)
	rotated := second.Certificates[0].SerialNumber.Cmp(first.Certificates[0].SerialNumber) != 0
	must(mutualTLS(source, second))
	say(map[string]any{"rotated": rotated})

	token, err := client.FetchJWTSVID(ctx, jwtsvid.Params{Audience: "db"})
	must(err)
	_, err = client.ValidateJWTSVID(ctx, token.Marshal(), "db")
	must(err)
	bundles, err := client.FetchJWTBundles(ctx)
	must(err)
	bundle, err := bundles.GetJWTBundleForTrustDomain(first.ID.TrustDomain())
	must(err)
	_, err = jwtsvid.ParseAndValidate(token.Marshal(), jwtbundle.NewSet(bundle), []string{"db"})
	must(err)
	_, err = client.FetchX509Bundles(ctx)
	must(err)
	say(map[string]any{"jwt": token.ID.String()})
}

func mutualTLS(source *workloadapi.X509Source, svid *x509svid.SVID) error {
	authorize := tlsconfig.AuthorizeID(svid.ID)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", tlsconfig.MTLSServerConfig(source, source, authorize))
	if err != nil {
		return err
	}
	defer listener.Close()
	go func() {
		connection, err := listener.Accept()
		if err == nil {
			_, _ = connection.Write([]byte("hello"))
			_ = connection.Close()
		}
	}()
	plain, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		return err
	}
	connection := tls.Client(plain, tlsconfig.MTLSClientConfig(source, source, authorize))
	defer connection.Close()
	_, err = io.ReadAll(connection)
	return err
}
