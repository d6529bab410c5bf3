package main

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

// Checks the checkpoint, the tree's root, entries against it, and that it extends an older tree: each by proofs
// made of the log's tiles, and by those that the log gives.
func readWithSumdb(get getter, verifier note.Verifier, older int64, indexes []int64) error {
	tree, err := openCheckpoint(get, verifier)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tree, tiles(get))
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return fmt.Errorf("the tiles lead to another root")
	}

	for _, index := range indexes {
		entry, err := readEntry(get, tree.N, index)
		if err != nil {
			return err
		}
		made, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		served, err := servedProof(get, inclusionPath(index, tree.N))
		if err != nil {
			return err
		}
		given, err := hashes(served.InclusionProof)
		if err != nil {
			return err
		}
		for _, proof := range []tlog.RecordProof{made, given} {
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
		}
	}

	olderRoot, err := tlog.TreeHash(older, reader)
	if err != nil {
		return err
	}
	made, err := tlog.ProveTree(tree.N, older, reader)
	if err != nil {
		return err
	}
	served, err := servedProof(get, consistencyPath(older, tree.N))
	if err != nil {
		return err
	}
	given, err := hashes(served.ConsistencyProof)
	if err != nil {
		return err
	}
	for _, proof := range []tlog.TreeProof{made, given} {
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, older, olderRoot); err != nil {
			return fmt.Errorf("from %d: %w", older, err)
		}
	}
	return nil
}

// The checksum database's own checkpoints open with another line, so the three are read here.
func openCheckpoint(get getter, verifier note.Verifier) (tlog.Tree, error) {
	text, err := get("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("not three lines of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

// Reads tiles where tlog-tiles has them: the checksum database's paths name the height too.
type tiles getter

func (tiles) Height() int { return tileHeight }

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (get tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, 0, len(wanted))
	for _, tile := range wanted {
		bytes, err := get(tilePath(tile))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func tilePath(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
	return strings.Replace(path, "tile/data/", "tile/entries/", 1)
}

func readEntry(get getter, size, index int64) ([]byte, error) {
	first := index / (1 << tileHeight)
	width := min(1<<tileHeight, size-first*(1<<tileHeight))
	bundle, err := get(tilePath(tlog.Tile{H: tileHeight, L: -1, N: first, W: int(width)}))
	if err != nil {
		return nil, err
	}
	for position := index % (1 << tileHeight); len(bundle) >= 2; position-- {
		end := 2 + int(bundle[0])<<8 + int(bundle[1])
		if end > len(bundle) {
			break
		}
		if position == 0 {
			return bundle[2:end], nil
		}
		bundle = bundle[end:]
	}
	return nil, fmt.Errorf("the bundle has no entry %d", index)
}

func hashes(proof [][]byte) ([]tlog.Hash, error) {
	all := make([]tlog.Hash, 0, len(proof))
	for _, bytes := range proof {
		hash, err := tlog.ParseHash(base64.StdEncoding.EncodeToString(bytes))
		if err != nil {
			return nil, err
		}
		all = append(all, hash)
	}
	return all, nil
}
