// The real GitLab Runner with its shell executor and nothing else: whatever it does is done by its own packages. The
// other executors would bring Docker's and Kubernetes' clients along.
package main

import (
	"log"
	"os"

	"github.com/urfave/cli"

	"gitlab.com/gitlab-org/gitlab-runner/common"

	_ "gitlab.com/gitlab-org/gitlab-runner/commands"
	_ "gitlab.com/gitlab-org/gitlab-runner/commands/helpers"
	_ "gitlab.com/gitlab-org/gitlab-runner/executors/shell"
	_ "gitlab.com/gitlab-org/gitlab-runner/shells"
)

func main() {
	app := cli.NewApp()
	app.Name = "gitlab-runner"
	app.Commands = common.GetCommands()
	if err := app.Run(os.Args); err != nil {
		log.Fatal(err)
	}
}
