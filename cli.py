from optalloc.cli.main import main

main()
