// Command language-host is a Pulumi language host, of the language that its name says.
//
// Of Pulumi's own hosts only old ones can be had as Go modules: they run programs, but they were made before hosts wrote
// SDKs. So this one answers what they cannot, with the generators of the engine's own version, and hands everything
// else to the old one, its runner.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	runners   = "runners" // their folder, beside this program
	heartbeat = 5 * time.Second
)

func main() {
	if err := serve(filepath.Base(os.Args[0]), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve answers the engine, whose address is the last argument, until a signal comes or the engine is gone.
func serve(name string, arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("%s is started by Pulumi, with the engine's address", name)
	}
	alive, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer end()
	if err := rpcutil.Healthcheck(alive, arguments[len(arguments)-1], heartbeat, end); err != nil {
		return err
	}
	var running sync.WaitGroup
	runner := sync.OnceValues(func() (*grpc.ClientConn, error) { return start(alive, &running, name, arguments) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Init:    register(strings.TrimPrefix(name, "pulumi-language-")),
		Options: []grpc.ServerOption{grpc.ForceServerCodec(codec{}), grpc.UnknownServiceHandler(forward(runner))},
	})
	if err != nil {
		return err
	}
	fmt.Println(handle.Port)
	select {
	case <-alive.Done():
	case err = <-handle.Done:
		end()
	}
	running.Wait()
	return err
}

// start runs the runner of that name, which lives as long as this program.
func start(
	alive context.Context, running *sync.WaitGroup, name string, arguments []string,
) (*grpc.ClientConn, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if self, err = filepath.EvalSymlinks(self); err != nil {
		return nil, err
	}
	runner := exec.CommandContext(alive, filepath.Join(filepath.Dir(self), runners, name), arguments...)
	runner.Stderr = os.Stderr
	output, err := runner.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := runner.Start(); err != nil {
		return nil, err
	}
	// Not Wait of the command: that would wait for the programs too, which write to the same pipe.
	running.Go(func() { runner.Process.Wait() })
	lines := bufio.NewReader(output)
	port, err := lines.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("%s did not say where it listens: %w", runner.Path, err)
	}
	go io.Copy(os.Stdout, lines) // what programs print
	address := "127.0.0.1:" + strings.TrimSpace(port)
	return grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()), rpcutil.GrpcChannelOptions())
}
