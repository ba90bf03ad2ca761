import { graphql } from 'relay-runtime'

export const fragment = graphql`
  fragment AssetTitle_asset on Asset {
    title
    version
    ... on Track {
      hook {
        caption
      }
    }
  }
`

export const rename = graphql`
  mutation AssetTitleRenameMutation($input: UpdateAssetInput!) {
    updateAsset(input: $input) {
      __typename
      ... on UpdateAssetSuccess {
        asset {
          ...AssetTitle_asset
        }
      }
      ... on UserError {
        code
        message
        path
      }
    }
  }
`
