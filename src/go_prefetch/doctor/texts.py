"""All sentences of doctor's findings: one template for each name and case. render/texts.py lists the formats."""

from __future__ import annotations

TEXTS: dict[str, dict[str, str]] = {
    "go-missing": {"": "Go's settings are read from the environment only, because {problem:line}."},
    "no-plan": {"": "Proxies are measured with a public module, because {problem:reason}."},
    "goproxy-invalid": {"": "{problem}"},
    "gosumdb-invalid": {
        "": "GOSUMDB is malformed, so Go fails where it asks the checksum database. Write `sum.golang.org`, the name "
        "and key of another database, or one of them and a URL.",
    },
    "goproxy-misspelt": {
        "unused": "GOPROXY: entries after `{ending}` are never used: {entries:all}.",
        "host": "GOPROXY: {entry} is not a well-known proxy. Did you mean {meant}?",
        "twice": "GOPROXY: {entry} appears twice.",
    },
    "variable-misspelt": {"": "{variable} is set, but Go does not read it. Did you mean {meant}?"},
    "goproxy-clear-text": {"": "GOPROXY: {entry} is not encrypted. Use https, which this proxy supports."},
    "goproxy-lone-file": {
        "": "GOPROXY is a single `file://` URL. Go then does not check toolchains from it against the checksum "
        "database. Add `,off`.",
    },
    "goproxy-asks-nobody": {
        "direct": "GOPROXY begins with `direct`, so Go clones the repository of every module.",
        "off": "GOPROXY is `off`, so modules that the store lacks are not downloaded.",
    },
    "go-sum-missing": {"": "{path} has no go.sum, so downloads cannot be verified. Run `go mod tidy`."},
    "go-sum-unused": {
        "": "{path}: {unused} of {zips} zips in go.sum are not needed. They are neither downloaded nor saved. "
        "`go mod tidy` removes stale lines.",
    },
    "goflags": {
        "mod": "GOFLAGS has -mod=mod, so go commands may change go.mod and go.sum, and ignore vendor/.",
        "vendor": "GOFLAGS has -mod=vendor, so Go does not use the module cache.",
        "no-vendor": "GOFLAGS has -mod=vendor, but there is no vendor folder, so builds fail.",
        "modfile": "GOFLAGS has {flag}, so Go and the plan read that file and its .sum instead of go.mod and go.sum.",
        "insecure": "GOFLAGS has -insecure, which Go no longer supports, so go commands fail. Use GOINSECURE.",
        "modules-off": "GO111MODULE is off, so Go does not use modules.",
    },
    "checks-left-out": {
        "gonosumcheck": "GONOSUMCHECK is set, but Go has ignored it since 1.13. Use GONOSUMDB or GOPRIVATE.",
        "gosumdb-off": "GOSUMDB is off, so Go accepts any content of a module without a go.sum line, and refuses "
        "toolchains.",
        "gonosumdb": "GONOSUMDB covers {path}, and GOPRIVATE does not. The checksum database does not verify it.",
        "goinsecure": "GOINSECURE is set, so Go downloads matching modules without checking certificates, or without "
        "encryption.",
    },
    "gonoproxy-without-need": {
        "nothing": "GONOPROXY matches no module of the plan.",
        "public": "GONOPROXY covers {path}, which every public proxy has. Go clones its repository instead.",
        "repeated": "GONOPROXY repeats GOPRIVATE, which is its default.",
    },
    "cache-doubled": {
        "": "{name}:{line}: this setup-go step caches the module cache too, without verification. Set `cache: false`.",
    },
    "toolchain-ahead": {
        "download": "{path} requires Go {wanted}, and {installed} is installed. The first go command downloads that "
        "toolchain, about 75 MB, and unpacks it. It is better to install it with setup-go's go-version-file.",
        "refused": "{path} requires Go {wanted}, {installed} is installed, and GOTOOLCHAIN is {switch}, so Go fails.",
    },
    "vendored": {"": "{folder} is vendored. Go builds from vendor/, so there is nothing to prefetch."},
    "cache-over-limit": {"": "{problem}"},
    "default-branch-unsaved": {"": "{problem}"},
    "network-down": {
        "": "None of {count} hosts answers, for example {source}: {words}. Check the network and the name servers of "
        "this machine or container. If it has an HTTP proxy, set HTTPS_PROXY.",
    },
    "checksums-unreachable": {
        "": "The checksum database does not work at {source}: {words}. Go asks it about modules without a line in "
        "go.sum, and about toolchains. Run `go mod tidy` where it works, and commit go.sum. Or use its mirror: "
        "GOSUMDB=sum.golang.google.cn. Name private modules in GOPRIVATE or GONOSUMDB.",
        "named": "The checksum database does not work at {source}, which GOSUMDB names: {words}. Go asks it about "
        "modules without a line in go.sum, and about toolchains. Run `go mod tidy` where it works, and commit go.sum. "
        "Or name another mirror in GOSUMDB. Name private modules in GOPRIVATE or GONOSUMDB.",
        "proxy": "The checksum database does not work at {source}: {words}. Go uses the mirror of the first proxy that "
        "has one, for modules without a line in go.sum and for toolchains. Run `go mod tidy` where it works, and "
        "commit go.sum. Or bypass the proxy: GOSUMDB=sum.golang.google.cn. Name private modules in GOPRIVATE or "
        "GONOSUMDB.",
    },
    "direct-unreachable": {
        "": "{source} does not work: {words}. Go fetches modules from there without a proxy, because of `direct` or "
        "GONOPROXY. Check the network, or add a proxy that has them.",
    },
    "dns-slow": {
        "": "The name server takes {seconds:milliseconds} for the host of {source}. Check the resolver of this "
        "machine, or run a caching one.",
    },
    "store-slower": {
        "": "{store} takes {here:milliseconds} for a zip of {zip:size}, and {proxy} takes {there:milliseconds}. Use a "
        "store that is nearer, or `store: none`.",
    },
}
