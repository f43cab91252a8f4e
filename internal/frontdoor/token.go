// Copyright The Slipway Authors.
// SPDX-License-Identifier: Apache-2.0

package frontdoor

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// clockSkew is how far the API server's clock may be behind ours.
const clockSkew = time.Minute

// claims are what a token says of itself. They grant nothing: a token that no
// API server would take is refused for the price of a look, and whether another
// is good the API server says.
type claims struct {
	Audience audiences `json:"aud"`
	Expiry   float64   `json:"exp"` // in Unix seconds, zero if it does not expire
}

// audiences are a string or several (RFC 7519, section 4.1.3).
type audiences []string

// UnmarshalJSON takes either form.
func (a *audiences) UnmarshalJSON(text []byte) error {
	if one := ""; json.Unmarshal(text, &one) == nil {
		*a = audiences{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// claimsOf reads a token, and is false for what is none (RFC 7515, section 3.1).
func claimsOf(token string) (claims, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims{}, false
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return claims{}, false
	}
	var c claims
	return c, json.Unmarshal(text, &c) == nil
}

// hopeless: the API server would refuse the token, whoever signed it.
func (c claims) hopeless() bool {
	return !slices.Contains(c.Audience, audience) || time.Until(c.end()) < -clockSkew
}

// end is when the token expires, or far away.
func (c claims) end() time.Time {
	if c.Expiry == 0 {
		return time.Now().Add(keepGood)
	}
	return time.Unix(int64(c.Expiry), 0)
}
