// SPDX-License-Identifier: MIT
// Is this text well-formed markup? Enough of XML's rules for what the laboratory writes.
#pragma once

// NULL, or where in the text it is not: a tag that does not close, an attribute without quotes, an
// ampersand that is no entity.
const char *markup_check(const char *text);
