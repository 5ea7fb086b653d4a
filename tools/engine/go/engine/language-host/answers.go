package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	gocode "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// host answers what no runner knows: the calls behind `pulumi package gen-sdk` and `pulumi package add`.
type host struct {
	pulumirpc.UnimplementedLanguageRuntimeServer
	language string
}

// register lets the server answer those calls; all others go to the handler of unknown ones.
func register(language string) func(*grpc.Server) error {
	return func(server *grpc.Server) error {
		ours := pulumirpc.LanguageRuntime_ServiceDesc
		ours.Streams = nil
		ours.Methods = slices.DeleteFunc(slices.Clone(ours.Methods), func(method grpc.MethodDesc) bool {
			return method.MethodName != "GeneratePackage" && method.MethodName != "Link"
		})
		server.RegisterService(&ours, &host{language: language})
		return nil
	}
}

// GeneratePackage writes an SDK.
func (h *host) GeneratePackage(
	_ context.Context, request *pulumirpc.GeneratePackageRequest,
) (*pulumirpc.GeneratePackageResponse, error) {
	loader, err := schema.NewLoaderClient(request.LoaderTarget)
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(request.Schema), &spec); err != nil {
		return nil, err
	}
	bound, found, err := schema.BindSpec(spec, loader, schema.ValidationOptions{})
	if err != nil {
		return nil, err
	}
	response := &pulumirpc.GeneratePackageResponse{}
	for _, one := range found {
		response.Diagnostics = append(response.Diagnostics, plugin.HclDiagnosticToRPCDiagnostic(one))
	}
	if found.HasErrors() {
		return response, nil
	}
	files, err := h.files(request, bound, schema.NewCachedLoader(loader))
	if err != nil {
		return nil, err
	}
	return response, write(request.Directory, files)
}

func (h *host) files(
	request *pulumirpc.GeneratePackageRequest, bound *schema.Package, loader schema.ReferenceLoader,
) (map[string][]byte, error) {
	tool := "pulumi-language-" + h.language
	switch h.language {
	case "nodejs":
		return nodejs.GeneratePackage(
			tool, bound, request.ExtraFiles, request.LocalDependencies, request.Local, loader)
	case "python":
		return python.GeneratePackage(tool, bound, request.ExtraFiles, loader)
	case "go":
		files, err := gocode.GeneratePackage(tool, bound, request.LocalDependencies)
		for name, content := range request.ExtraFiles {
			files[name] = content
		}
		return files, err
	}
	return nil, status.Errorf(codes.Unimplemented, "no SDK is written for %s", h.language)
}

func write(folder string, files map[string][]byte) error {
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Link names written SDKs in the project file of a program.
func (h *host) Link(ctx context.Context, request *pulumirpc.LinkRequest) (*pulumirpc.LinkResponse, error) {
	folder := request.Info.ProgramDirectory
	for _, each := range request.Packages {
		commands, err := h.linking(filepath.Join(folder, each.Path), each.Path)
		if err != nil {
			return nil, err
		}
		for _, command := range commands {
			run := exec.CommandContext(ctx, command[0], command[1:]...)
			run.Dir = folder
			if output, err := run.CombinedOutput(); err != nil {
				return nil, fmt.Errorf("%v: %w\n%s", command, err, output)
			}
		}
	}
	return &pulumirpc.LinkResponse{}, nil
}

// linking is the commands that name the SDK in a folder, whose path seen from the program is the second.
func (h *host) linking(folder, path string) ([][]string, error) {
	switch h.language {
	case "nodejs":
		var sdk struct{ Name string }
		text, err := os.ReadFile(filepath.Join(folder, "package.json"))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(text, &sdk); err != nil {
			return nil, err
		}
		return [][]string{{"npm", "pkg", "set", fmt.Sprintf("dependencies.%s=file:%s", sdk.Name, path)}}, nil
	case "go":
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err != nil {
			return nil, err
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		module := string(bytes.TrimPrefix(line, []byte("module ")))
		return [][]string{{
			"go", "mod", "edit", "-require=" + module + "@v0.0.0", "-replace=" + module + "=./" + filepath.ToSlash(path),
		}}, nil
	}
	return nil, status.Errorf(codes.Unimplemented, "SDKs are not linked into programs in %s", h.language)
}
