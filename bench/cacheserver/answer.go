package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// answer is whole before any of it is sent, so that a failure can spoil it on its way.
type answer struct {
	status int
	header map[string]string
	body   content
	offset int64 // where in body it begins
	length int64 // of what is sent; a HEAD announces it only
}

func plain(status int, contentType string, body []byte) *answer {
	header := map[string]string{"Content-Type": contentType}
	return &answer{status, header, bytes.NewReader(body), 0, int64(len(body))}
}

// object is a message of the service. The fields are of kinds that JSON always takes.
func object(status int, message map[string]any) *answer {
	body, err := json.Marshal(message)
	if err != nil {
		return plain(http.StatusInternalServerError, "text/plain", []byte(err.Error()))
	}
	return plain(status, "application/json", body)
}

// said is a refusal as Twirp has it.
func said(refused *refusal) *answer {
	made := object(refused.status, map[string]any{"code": refused.code, "msg": refused.words})
	if refused.retryAfter > 0 {
		made.header["Retry-After"] = strconv.Itoa(refused.retryAfter)
	}
	return made
}

// azure is an error as the blob host has it.
func azure(status int, code string) *answer {
	body := fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?><Error><Code>%s</Code><Message>%[1]s</Message></Error>`, code)
	made := plain(status, "application/xml", []byte(body))
	made.header["x-ms-error-code"] = code
	return made
}

// created answers a PUT to the blob host.
func created(etag string) *answer {
	made := plain(http.StatusCreated, "application/xml", nil)
	if etag != "" {
		made.header["ETag"] = etag
	}
	return made
}
