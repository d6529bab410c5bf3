// Reads a whole log by what it serves, with the code of Go's checksum database and then with Tessera's, and
// compares the proofs that the log gives with those that each of the two makes of its tiles.
//
//	log-reader PREFIX VERIFIER-KEY OLDER-SIZE INDEX...
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 4 {
		return fmt.Errorf("usage: log-reader PREFIX VERIFIER-KEY OLDER-SIZE INDEX...")
	}
	prefix, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(args[1])
	if err != nil {
		return err
	}
	numbers := make([]int64, 0, len(args))
	for _, arg := range args[2:] {
		number, err := strconv.ParseInt(arg, 10, 64)
		if err != nil {
			return err
		}
		numbers = append(numbers, number)
	}
	older, indexes := numbers[0], numbers[1:]
	fetcher, err := client.NewHTTPFetcher(prefix, http.DefaultClient)
	if err != nil {
		return err
	}

	if err := readWithSumdb(fetch(prefix), verifier, older, indexes); err != nil {
		return fmt.Errorf("sumdb: %w", err)
	}
	if err := fsck.New(verifier.Name(), verifier, fetcher, leafHashes, fsck.Opts{N: 2}).Check(ctx); err != nil {
		return fmt.Errorf("tessera fsck: %w", err)
	}
	if err := proveWithTessera(ctx, fetcher, fetch(prefix), verifier, older, indexes); err != nil {
		return fmt.Errorf("tessera client: %w", err)
	}
	fmt.Println("the log holds")
	return nil
}

// Gets what stands at a path below the prefix.
type getter func(path string) ([]byte, error)

func fetch(prefix *url.URL) getter {
	return func(path string) ([]byte, error) {
		answer, err := http.Get(prefix.String() + path)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", path, answer.Status)
		}
		return io.ReadAll(answer.Body)
	}
}

// What the log's own proofs look like.
type proof struct {
	InclusionProof   [][]byte
	ConsistencyProof [][]byte
}

func servedProof(get getter, path string) (proof, error) {
	var served proof
	text, err := get(path)
	if err == nil {
		err = json.Unmarshal(text, &served)
	}
	return served, err
}

func inclusionPath(index, size int64) string {
	return fmt.Sprintf("proof/inclusion?index=%d&treeSize=%d", index, size)
}

func consistencyPath(from, to int64) string {
	return fmt.Sprintf("proof/consistency?from=%d&to=%d", from, to)
}

func leafHashes(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(entries.Entries))
	for _, entry := range entries.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

func proveWithTessera(
	ctx context.Context, fetcher *client.HTTPFetcher, get getter, verifier note.Verifier, older int64, indexes []int64,
) error {
	checkpoint, _, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, verifier.Name())
	if err != nil {
		return err
	}
	size := int64(checkpoint.Size)
	builder, err := client.NewProofBuilder(ctx, checkpoint.Size, fetcher.ReadTile)
	if err != nil {
		return err
	}
	for _, index := range indexes {
		made, err := builder.InclusionProof(ctx, uint64(index))
		if err != nil {
			return err
		}
		served, err := servedProof(get, inclusionPath(index, size))
		if err != nil {
			return err
		}
		if !slices.EqualFunc(made, served.InclusionProof, slices.Equal) {
			return fmt.Errorf("another proof of entry %d", index)
		}
	}
	made, err := builder.ConsistencyProof(ctx, uint64(older), checkpoint.Size)
	if err != nil {
		return err
	}
	served, err := servedProof(get, consistencyPath(older, size))
	if err != nil {
		return err
	}
	if !slices.EqualFunc(made, served.ConsistencyProof, slices.Equal) {
		return fmt.Errorf("another proof of consistency from %d", older)
	}
	return nil
}
