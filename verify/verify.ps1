<#
.SYNOPSIS
Shows on an Azure VM whether its managed identity works: runs verify, which is inside this file.

.DESCRIPTION
Runs it with Node 22 or later from PATH, else with Node {{version}}, which is downloaded, checked and kept.
Arguments go to verify (try --help); -name stands for --name. stdout and exit codes below 70 are verify's. The others:
  70  something else failed; the message says what
  71  Node could not be downloaded: let the VM reach the address named, or install Node
  72  the download has the wrong SHA-256 and was deleted
  73  Node could not be started; a policy may forbid it

.EXAMPLE
powershell -ExecutionPolicy Bypass -File verify.ps1 --json --wait 0
#>

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$url = '{{url}}'
$zipHash = '{{zipSha256}}'
$nodeHash = '{{nodeSha256}}'

# The exit code if the next step fails.
$exitCode = 70

function Write-Message([string] $text) {
  # Write-Host would write to stdout.
  [Console]::Error.WriteLine("verify.ps1: $text")
}

# .NET stands in for Get-FileHash and Expand-Archive: 5.1 can't load them with the environment of PowerShell 7.
function Test-Hash([string] $path, [string] $hash) {
  if (-not (Test-Path -LiteralPath $path)) { return $false }
  $sha256 = [Security.Cryptography.SHA256CryptoServiceProvider]::new()
  $file = [IO.File]::OpenRead($path)
  try { $actual = [BitConverter]::ToString($sha256.ComputeHash($file)) } finally { $file.Dispose() }
  $actual.Replace('-', '') -eq $hash
}

# Run Command runs it as System, which must start nothing that other users can write to.
function Get-PrivateFolder {
  $folder = [Environment]::GetFolderPath('LocalApplicationData', 'Create')
  if (-not $folder) { throw 'this user has no folder for local application data' }
  # System's is in System32, which in 32-bit PowerShell, unlike in Node, means SysWOW64.
  if (-not [Environment]::Is64BitProcess) { $folder = $folder -replace '\\System32\\', '\SysWOW64\' }
  [IO.Directory]::CreateDirectory("$folder\verify-managed-identity\node-{{version}}").FullName
}

function Find-Node {
  # Other users can write to some folders that are on PATH.
  $trusted = '*'
  if ([Security.Principal.WindowsIdentity]::GetCurrent().IsSystem) { $trusted = "$env:ProgramW6432\*" }
  Get-Command node.exe -CommandType Application -All -ErrorAction SilentlyContinue |
    Where-Object { $_.Version.Major -ge 22 -and $_.Path -like $trusted } |
    Select-Object -First 1 -ExpandProperty Path
}

function Install-Node([string] $node) {
  $temporary = "$node-$([guid]::NewGuid())"
  try {
    Write-Message "no Node 22 or later found; downloading $url"
    $script:exitCode = 71
    [Net.ServicePointManager]::SecurityProtocol = 'Tls12'
    $proxy = [Net.WebRequest]::DefaultWebProxy
    if ($proxy -and -not $proxy.Credentials) { $proxy.Credentials = [Net.CredentialCache]::DefaultCredentials }
    [Net.WebClient]::new().DownloadFile($url, "$temporary.zip")

    $script:exitCode = 72
    if (-not (Test-Hash "$temporary.zip" $zipHash)) { throw 'the download has the wrong SHA-256' }

    $script:exitCode = 70
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    $zip = [IO.Compression.ZipFile]::OpenRead("$temporary.zip")
    try {
      $entry = $zip.GetEntry('node-{{version}}-win-x64/node.exe')
      [IO.Compression.ZipFileExtensions]::ExtractToFile($entry, "$temporary.exe")
    } finally { $zip.Dispose() }
    # A parallel run may be faster, and then its Node may be running already.
    try {
      if (-not (Test-Hash $node $nodeHash)) { Move-Item -LiteralPath "$temporary.exe" -Destination $node -Force }
    } catch { Write-Message $_ }
    if (-not (Test-Hash $node $nodeHash)) { throw "$node has the wrong SHA-256" }
  } finally {
    Remove-Item -LiteralPath "$temporary.zip", "$temporary.exe" -ErrorAction SilentlyContinue
  }
}

function Expand-Bundle([string] $path) {
  $zipped = [IO.MemoryStream]::new([Convert]::FromBase64String($bundle))
  $unzipped = [IO.Compression.GZipStream]::new($zipped, [IO.Compression.CompressionMode]::Decompress)
  $file = [IO.File]::Create($path)
  try { $unzipped.CopyTo($file) } finally { $file.Dispose() }
}

# verify knows proxies by variables only.
function Get-SystemProxy {
  $arm = [Uri] 'https://management.azure.com/'
  try {
    $uri = $null
    $proxy = [Net.WebRequest]::DefaultWebProxy
    if ($proxy -and -not $proxy.IsBypassed($arm)) { $uri = $proxy.GetProxy($arm) }
    if ($uri -and $uri -ne $arm) { $uri.AbsoluteUri }
  } catch { Write-Message "no system proxy found: $_" }
}

function Invoke-Verify([string[]] $arguments) {
  $folder = Get-PrivateFolder
  $node = Find-Node
  if (-not $node) {
    $node = "$folder\node.exe"
    if (-not (Test-Hash $node $nodeHash)) { Install-Node $node }
  }
  # .cjs, whatever a package.json further up says.
  $verify = "$folder\$([guid]::NewGuid()).cjs"
  $encoding = [Console]::OutputEncoding
  $ownProxy = $env:HTTPS_PROXY
  try {
    if (-not $env:HTTPS_PROXY -and -not $env:ALL_PROXY) { $env:HTTPS_PROXY = Get-SystemProxy }
    Expand-Bundle $verify
    # verify writes UTF-8, and the caller may keep it. Without a console this fails.
    try { [Console]::OutputEncoding = [Text.UTF8Encoding]::new($false) } catch { }
    # Neither verify's progress on stderr nor its exit code is an error of this script.
    $ErrorActionPreference = 'Continue'
    $PSNativeCommandUseErrorActionPreference = $false
    $script:exitCode = 73
    & $node $verify @arguments
    $script:exitCode = $LASTEXITCODE
  } finally {
    Remove-Item -LiteralPath $verify -ErrorAction SilentlyContinue
    $env:HTTPS_PROXY = $ownProxy
    try { [Console]::OutputEncoding = $encoding } catch { }
  }
}

# verify.js, gzipped, in base64.
$bundle = '{{bundle}}'

try {
  Invoke-Verify @($args -replace '^-(?=[a-z]{2})', '--')
} catch {
  Write-Message ($_.Exception.GetBaseException().Message)
}
exit $exitCode
