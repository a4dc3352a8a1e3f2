// Command interop is the small service of the interoperability tests as a Go program: a server of it, and a client
// that examines one. Built with two versions of upstream go-jsonrpc (go.mod, earlier.mod) and with the fork that Venus
// uses (fork.mod, tag fork).
//
//	interop server ADDRESS
//	interop client EXAMINATION URL DIALECT-OF-THE-SERVER
//
// The client prints how many checks it made, or exits with 1 and says what differs.
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "server":
		return serve(args[1])
	case len(args) == 4 && args[0] == "client":
		return examine(args[1], args[2], args[3])
	default:
		return fmt.Errorf("usage: interop server ADDRESS | interop client EXAMINATION URL DIALECT")
	}
}
