// Transparency-dev's witness, its client, and Tessera's reading of witness policies, for witness.test.ts.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"

	fnote "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/tessera"
	client "github.com/transparency-dev/witness/client/http"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const usage = "witness serve LOG-KEY | key | submit URL WITNESS-KEY LOG-SECRET | policy FILE"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		return serve(args[1])
	case len(args) == 1 && args[0] == "key":
		secret, key, err := note.GenerateKey(rand.Reader, "log.example/go")
		fmt.Println(secret, key)
		return err
	case len(args) == 4 && args[0] == "submit":
		return submit(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == "policy":
		return policy(args[1])
	}
	return errors.New(usage)
}

// serve runs their witness of one log, and prints its key and its URL.
func serve(logKey string) error {
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	secret, key, err := note.GenerateKey(rand.Reader, "go.example/witness")
	if err != nil {
		return err
	}
	signer, err := fnote.NewSignerForCosignatureV1(secret)
	if err != nil {
		return err
	}
	cosigner, err := fnote.VKeyToCosignatureV1(key)
	if err != nil {
		return err
	}
	w, err := witness.New(context.Background(), witness.Opts{
		Persistence: inmemory.New(),
		Signers:     []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return verifier, origin == verifier.Name(), nil
		},
	})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", witness.NewHTTPHandler(w).AddCheckpoint)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("%s http://%s\n", cosigner, listener.Addr())
	return http.Serve(listener, mux)
}

// log is a tree of Go's in memory, which can tell two stories from some size on.
type log struct {
	signer note.Signer
	hashes []tlog.Hash
	size   int64
}

func (l *log) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	found := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		found[i] = l.hashes[index]
	}
	return found, nil
}

func (l *log) growTo(size int64, story string) error {
	for ; l.size < size; l.size++ {
		stored, err := tlog.StoredHashes(l.size, []byte(fmt.Sprint(story, l.size)), l)
		if err != nil {
			return err
		}
		l.hashes = append(l.hashes, stored...)
	}
	return nil
}

func (l *log) checkpoint(size int64) ([]byte, error) {
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", l.signer.Name(), size, root)
	return note.Sign(&note.Note{Text: text}, l.signer)
}

func (l *log) proof(from, to int64) ([][]byte, error) {
	if from == 0 || from == to {
		return nil, nil
	}
	proved, err := tlog.ProveTree(to, from, l)
	if err != nil {
		return nil, err
	}
	proof := make([][]byte, len(proved))
	for i, hash := range proved {
		proof[i] = hash[:]
	}
	return proof, nil
}

// submit takes a witness of another implementation through what their client knows of the protocol.
func submit(address, witnessKey, secret string) error {
	signer, err := note.NewSigner(secret)
	if err != nil {
		return err
	}
	verifier, err := fnote.NewVerifierForCosignatureV1(witnessKey)
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	w := client.NewWitness(u, http.DefaultClient)
	honest, forked := &log{signer: signer}, &log{signer: signer}
	for _, step := range []struct {
		log   *log
		size  int64
		story string
	}{{honest, 300, "entry "}, {forked, 150, "entry "}, {forked, 300, "another "}} {
		if err := step.log.growTo(step.size, step.story); err != nil {
			return err
		}
	}

	update := func(l *log, from, to int64) (uint64, error) {
		checkpoint, err := l.checkpoint(to)
		if err != nil {
			return 0, err
		}
		proof, err := l.proof(from, to)
		if err != nil {
			return 0, err
		}
		lines, size, err := w.Update(context.Background(), uint64(from), checkpoint, proof)
		if err != nil {
			return size, err
		}
		opened, err := note.Open(append(checkpoint, lines...), note.VerifierList(verifier))
		if err != nil {
			return 0, fmt.Errorf("the cosignature of %d: %w", to, err)
		}
		_, err = fnote.CoSigV1Timestamp(opened.Sigs[0])
		return 0, err
	}

	from := int64(0)
	for _, to := range []int64{1, 2, 5, 8, 8, 100, 200, 256} {
		if _, err := update(honest, from, to); err != nil {
			return fmt.Errorf("%d to %d: %w", from, to, err)
		}
		from = to
	}
	if size, err := update(honest, 100, 300); !errors.Is(err, witness.ErrCheckpointStale) || size != 256 {
		return fmt.Errorf("an old size that is not the witness's: %d, %v", size, err)
	}
	if _, err := update(forked, 256, 256); !errors.Is(err, witness.ErrRootMismatch) {
		return fmt.Errorf("another tree of the same size: %v", err)
	}
	if _, err := update(forked, 256, 300); !errors.Is(err, witness.ErrInvalidProof) {
		return fmt.Errorf("a fork: %v", err)
	}
	fmt.Println("the witness holds")
	return nil
}

// policy prints whether a checkpoint, from standard input, has the quorum of a policy.
func policy(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	group, err := tessera.NewWitnessGroupFromPolicy(text)
	if err != nil {
		return err
	}
	checkpoint, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	fmt.Println(group.Satisfied(checkpoint))
	return nil
}
