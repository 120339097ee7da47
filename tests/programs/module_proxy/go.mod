module example.com/module_proxy

go 1.21
