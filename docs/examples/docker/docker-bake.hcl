# go-prefetch docker --output .gomod && docker buildx bake
target "default" {
  context  = "."
  contexts = { gomod = "./.gomod" }
  tags     = ["registry.example/app:1.0"]
}
