// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// maxWhole is how much of an answer that is no stream is read before any of it
// is sent on. A client can do nothing with half of it, and what is not sent yet
// can still become an error.
const maxWhole = 1 << 20

// whole reads an answer up to maxWhole. A replica that dies within it is an
// error; one that dies later leaves the client with a connection cut off.
func whole(response *http.Response) error {
	room := int64(bytes.MinRead)
	if length := response.ContentLength; length > 0 {
		room += min(length, maxWhole)
	}
	begun := bytes.NewBuffer(make([]byte, 0, room))
	_, err := io.CopyN(begun, response.Body, maxWhole)
	switch {
	case err == nil:
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(begun, response.Body), response.Body}
		return nil
	case !errors.Is(err, io.EOF):
		return err
	}
	response.ContentLength = int64(begun.Len())
	response.TransferEncoding = nil
	response.Header.Set("Content-Length", strconv.Itoa(begun.Len()))
	response.Body = struct {
		io.Reader
		io.Closer
	}{begun, response.Body}
	return nil
}
