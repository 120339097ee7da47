package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestALotIsTheSameWhateverTheOrder(t *testing.T) {
	kinds := strings.Join(allFaults, ",")
	left, err := newLot(0.5, 7, kinds)
	if err != nil {
		t.Fatal(err)
	}
	right, _ := newLot(0.5, 7, kinds)
	drawn := map[string]string{}
	for number := 0; number < 50; number++ {
		for _, kind := range []string{"a", "b"} {
			drawn[kind+strconv.Itoa(number)] = left.draw(kind)
		}
	}
	for _, kind := range []string{"b", "a"} {
		for number := 0; number < 50; number++ {
			if found := right.draw(kind); found != drawn[kind+strconv.Itoa(number)] {
				t.Fatalf("%s, number %d: %q, not %q", kind, number, found, drawn[kind+strconv.Itoa(number)])
			}
		}
	}
}

func TestTheShareOfFailuresIsTheOneAskedFor(t *testing.T) {
	drawn, err := newLot(0.2, 1, "500,reset")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for number := 0; number < 5000; number++ {
		seen[drawn.draw("lookup "+strconv.Itoa(number%10))]++
	}
	if failed := seen["500"] + seen["reset"]; failed < 900 || failed > 1100 || seen["500"] < 400 || seen["reset"] < 400 {
		t.Errorf("of 5000: %v", seen)
	}
	if _, err := newLot(0.2, 1, "500,404,typo"); err == nil {
		t.Error("an unknown kind is taken")
	}
}

func TestWhatEachFaultLooksLike(t *testing.T) {
	for _, fault := range allFaults {
		t.Run(fault, func(t *testing.T) {
			s := start(t, nil)
			s.save("k", strings.Repeat("x", 1000))
			_, url := s.find(`{"key":"k","version":"VERSION"}`)
			s.lot.share, s.lot.kinds = 1, []string{fault}
			ctx, cancel := context.WithTimeout(context.Background(), time.Second/2)
			defer cancel()
			request, _ := http.NewRequestWithContext(ctx, "GET", url, nil)
			response, err := http.DefaultClient.Do(request)
			if fault == reset || fault == silence {
				if err == nil || errors.Is(err, context.DeadlineExceeded) != (fault == silence) {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			read, err := io.ReadAll(response.Body)
			switch fault {
			case truncate:
				if len(read) != 500 || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%d bytes, %v", len(read), err)
				}
			case stuck:
				if len(read) != 500 || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%d bytes, %v", len(read), err)
				}
			case malformed, html:
				s.want("status", response.StatusCode, 200)
				s.want("its own bytes", strings.Contains(string(read), "x"), false)
			default:
				s.want("status", strconv.Itoa(response.StatusCode), fault)
			}
		})
	}
}

func TestACreateWhoseAnswerIsLostHoldsTheKey(t *testing.T) {
	s := start(t, nil)
	s.lot.share, s.lot.kinds = 1, []string{truncate}
	body := strings.ReplaceAll(`{"key":"k","version":"VERSION"}`, "VERSION", version)
	request, _ := http.NewRequest("POST", s.url+twirpPrefix+"CreateCacheEntry", strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer x")
	if response, err := http.DefaultClient.Do(request); err == nil {
		_, err = io.ReadAll(response.Body)
		response.Body.Close()
		s.want("broken off", errors.Is(err, io.ErrUnexpectedEOF), true)
	}
	s.lot.share = 0
	status, _ := s.rpc("CreateCacheEntry", `{"key":"k","version":"VERSION"}`)
	s.want("status", status, 409)
}
