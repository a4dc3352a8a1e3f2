module venus.test/interop/node/seen

go 1.25
