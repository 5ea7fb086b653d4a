package main

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// raw is a message that is handed on as it came, with whatever members the other side has given it.
type raw []byte

// codec leaves raw messages alone; all others are protobuf's.
type codec struct{}

func (codec) Name() string { return "proto" }

func (codec) Marshal(message any) ([]byte, error) {
	switch message := message.(type) {
	case *raw:
		return *message, nil
	case proto.Message:
		return proto.Marshal(message)
	}
	return nil, fmt.Errorf("%T is no message", message)
}

func (codec) Unmarshal(data []byte, message any) error {
	switch message := message.(type) {
	case *raw:
		*message = append((*message)[:0], data...)
		return nil
	case proto.Message:
		return proto.Unmarshal(data, message)
	}
	return fmt.Errorf("%T is no message", message)
}

// forward hands a call to the runner: every call of a language host has one request, and one answer or many.
func forward(runner func() (*grpc.ClientConn, error)) grpc.StreamHandler {
	return func(_ any, engine grpc.ServerStream) error {
		connection, err := runner()
		if err != nil {
			return status.Error(codes.Unavailable, err.Error())
		}
		var request raw
		if err := engine.RecvMsg(&request); err != nil {
			return err
		}
		method, _ := grpc.MethodFromServerStream(engine)
		shape := grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
		answers, err := connection.NewStream(engine.Context(), &shape, method, grpc.ForceCodec(codec{}))
		if err != nil {
			return err
		}
		// EOF: the runner has answered without reading, that it does not know the call; the answer says so below.
		if err := answers.SendMsg(&request); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if err := answers.CloseSend(); err != nil {
			return err
		}
		for {
			var answer raw
			if err := answers.RecvMsg(&answer); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err // with the runner's own code: the engine goes by Unimplemented
			}
			if err := engine.SendMsg(&answer); err != nil {
				return err
			}
		}
	}
}
